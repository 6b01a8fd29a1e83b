/** Multi-window burn-rate alerts of each objective, and one for when there is nothing to judge by. */
import type { Alert } from '../alert.ts';
import { burnWindows, minBadRequests, objectives, periodDays } from '../objectives.ts';
import type { BurnWindow, Objective } from '../objectives.ts';
import { because, becauseOf, blindness, catalogueTrouble } from './causes.ts';

/** Requests of an hour that make their absence an hour later a finding. */
const busyHourRequests = 60;

export const errorBudgetAlerts: readonly Alert[] = objectives.flatMap((objective) => [
  burnAlert(objective, 'critical'),
  burnAlert(objective, 'medium'),
  missingAlert(objective),
]);

function burnAlert(objective: Objective, severity: BurnWindow['severity']): Alert {
  const windows = burnWindows.filter((window) => window.severity === severity);
  const { alertPrefix, title } = objective;
  const isFast = severity === 'critical';
  return {
    name: `${alertPrefix}BudgetBurning${isFast ? 'Fast' : 'Slowly'}`,
    group: 'error-budget',
    severity,
    expression: windows.map((window) => `(\n${burnExpression(objective, window)}\n)`).join('\nor\n'),
    limit: budgetOf(objective),
    fires: 'above',
    for: isFast ? '2m' : '15m',
    summary: isFast
      ? `The ${periodDays} days' budget of ${title} is gone within days at this rate`
      : `The ${periodDays} days' budget of ${title} does not last at this rate`,
    condition: windows
      .map(
        ({ factor, long, short }) =>
          `more than ${factor} x ${percent(budgetOf(objective))} ${title} over ${long} and over ${short} (at least ${leastRequests(objective, factor)} requests in ${long})`,
      )
      .join(', or '),
    action: isFast
      ? 'Take back what was changed last (flag or release), then look for the route and the cause.'
      : 'Find the route that spends the budget, and mend it this week.',
    inhibitedBy: [
      ...(isFast ? [] : because(`${alertPrefix}BudgetBurningFast`)),
      ...blindness,
      ...catalogueTrouble,
      ...because('ApiDown'),
    ],
  };
}

/** Two windows: the long one says that it matters, the short one that it has not ended. */
function burnExpression({ target, recorded }: Objective, { factor, long, short }: BurnWindow): string {
  const least = leastRequests({ target }, factor);
  return [
    `  ${recorded.bad}:ratio_increase${long} > ${factor} * $limit`,
    `  and ${recorded.bad}:ratio_increase${short} > ${factor} * $limit`,
    `  and ${recorded.all}:increase${long} >= ${least}`,
  ].join('\n');
}

function missingAlert({ alertPrefix, recorded, title }: Objective): Alert {
  const name = `${alertPrefix}DataMissing`;
  return {
    name,
    group: 'error-budget',
    severity: 'high',
    // The busy hour passes while data are still missing: what has fired goes on until there are some.
    expression: `absent(${recorded.all}:increase5m) and on () (${recorded.all}:increase1h offset 1h > $limit or ALERTS{alertname="${name}",alertstate="firing"})`,
    limit: busyHourRequests,
    fires: 'above',
    for: '10m',
    summary: `Nothing says how many ${title} there are`,
    condition: `no series to judge by, although there were more than ${busyHourRequests} requests in the hour that ended an hour ago; goes on until there are series again`,
    action: 'Look whether the API is scraped, and whether requests reach it at all.',
    inhibitedBy: [...blindness, ...because('ApiDown'), ...becauseOf({ process: 'api' }, 'TargetDown')],
  };
}

/** Bad ones of all that the objective allows, 0-1. */
function budgetOf({ target }: Pick<Objective, 'target'>): number {
  return Number((1 - target).toFixed(6));
}

/** So many requests that the threshold means `minBadRequests` bad ones. */
function leastRequests(objective: Pick<Objective, 'target'>, factor: number): number {
  return Math.ceil(minBadRequests / (factor * budgetOf(objective)));
}

function percent(ratio: number): string {
  return `${Number((ratio * 100).toFixed(4))} %`;
}
