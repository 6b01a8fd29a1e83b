/** The linter: rules over dashboards, less what is left out with a reason. An exclusion that nothing needs any more is a finding. */
import type { LintDashboard, LintExclusion, LintFinding } from './lint-rule.ts';
import { lintRules } from './lint-rules.ts';

const ofTheWholeFleet =
  'Recorded by rules for the whole fleet, which alerts are made of as well: there is neither job nor instance left in it.';
const choosesNothing = ['target-job-rule', 'target-instance-rule'];

const lintExclusions: readonly LintExclusion[] = [
  ...['Critical alerts', 'Other alerts', 'Alerts now'].map((panel) => ({
    rules: choosesNothing,
    dashboard: 'OmniZap / Fleet overview',
    panel,
    reason: 'An alert that the choice of instances hides is one that nobody sees; many have no instance.',
  })),
  ...[
    'Budget left of 30 days: failed requests',
    'Budget left of 30 days: slow reads',
    'Budget spent in 3d: failed requests',
    'Budget spent in 3d: slow reads',
    'Burn rate: failed requests',
    'Burn rate: slow reads',
    'Against a day and a week ago',
  ].map((panel) => ({
    rules: choosesNothing,
    dashboard: 'OmniZap / HTTP and SLO',
    panel,
    reason: ofTheWholeFleet,
  })),
];

/** What is wrong with dashboards, and which exclusions exclude nothing. */
export function lintDashboards(
  dashboards: readonly LintDashboard[],
  exclusions: readonly LintExclusion[] = lintExclusions,
): LintFinding[] {
  const used = new Set<string>();
  const findings = dashboards.flatMap((dashboard) =>
    lintRules.flatMap((rule) =>
      rule.check(dashboard).flatMap((problem): LintFinding[] => {
        const finding = { rule: rule.name, dashboard: dashboard.title, ...problem };
        const exclusion = exclusions.find((one) => isMeant(one, finding));
        if (exclusion !== undefined) used.add(keyOf(exclusion, rule.name));
        return exclusion === undefined ? [finding] : [];
      }),
    ),
  );
  const unused = exclusions.flatMap((exclusion) =>
    exclusion.rules
      .filter((rule) => !used.has(keyOf(exclusion, rule)))
      .map((rule) => ({
        rule,
        dashboard: exclusion.dashboard,
        panel: exclusion.panel,
        message: 'is excluded, and does not break the rule: remove the exclusion',
      })),
  );
  return [...findings, ...unused];
}

function isMeant({ rules, dashboard, panel }: LintExclusion, finding: LintFinding): boolean {
  return rules.includes(finding.rule) && dashboard === finding.dashboard && panel === finding.panel;
}

function keyOf({ dashboard, panel }: LintExclusion, rule: string): string {
  return JSON.stringify([rule, dashboard, panel]);
}
