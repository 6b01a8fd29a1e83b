/** Rules as files for Prometheus: of recorded series, and one of alerts per group. */
import { stringify } from 'yaml';
import { alertGroups, alertPageOf, alerts as allAlerts } from '../slo.ts';
import type { Alert, AlertGroup } from '../slo.ts';
import { scaleDuration, scaleExpression } from './duration.ts';
import { recordingGroups } from './recording-rules.ts';
import type { RecordingFile } from './recording-rules.ts';

type Options = {
  /** Every window, offset, interval and `for` is divided by it; limits and names stay. 1 = as committed. */
  timeScale?: number;
  /** Other alerts than those of slo.ts: tests change one. */
  alerts?: readonly Alert[];
};

/** Rules are computed so often. */
const evaluationInterval = '30s';

export const generatedNote = 'Made by `npm run observability:generate` from observability/slo.ts. Do not edit.';

/** File names with what is in them. At a time scale, intervals are at least 1 s: scrapes are no more frequent. */
export function renderRules({ timeScale = 1, alerts = allAlerts }: Options = {}): Map<string, string> {
  const interval = (text: string): string => {
    const scaled = scaleDuration(text, timeScale);
    return scaled.endsWith('ms') ? '1s' : scaled;
  };
  const files = new Map<string, string>();
  for (const file of new Set(recordingGroups.map((group) => group.file))) {
    const own = recordingGroups.filter((group) => group.file === file);
    const groups = own.map(({ name, interval: every, rules }) => ({
      name,
      interval: interval(every),
      rules: rules.map(({ record, expression }) => ({ record, expr: scaleExpression(expression, timeScale) })),
    }));
    files.set(recordingFileOf(file), render(groups));
  }
  for (const group of alertGroups) {
    const own = alerts.filter((alert) => alert.group === group);
    const rules = own.map((alert) => renderAlert(alert, timeScale));
    files.set(
      alertFileOf(group),
      render([{ name: alertGroupNameOf(group), interval: interval(evaluationInterval), rules }]),
    );
  }
  return files;
}

/** The file that has recorded series. */
export function recordingFileOf(file: RecordingFile): string {
  return `recording-${file}.yml`;
}

/** The file that has the alerts of a group. */
export function alertFileOf(group: AlertGroup): string {
  return `alerts-${group}.yml`;
}

/** The name of a group of alerts as Prometheus shows it. */
export function alertGroupNameOf(group: AlertGroup): string {
  return `omnizap_${group.replace('-', '_')}_alerts`;
}

/** The expression of an alert with its limit in place. */
export function expressionOf({ expression, limit }: Pick<Alert, 'expression' | 'limit'>): string {
  return expression.replaceAll('$limit', String(limit));
}

function renderAlert(alert: Alert, timeScale: number): object {
  const waits = alert.for === '0s' ? {} : { for: scaleDuration(alert.for, timeScale) };
  return {
    alert: alert.name,
    expr: scaleExpression(expressionOf(alert), timeScale),
    ...waits,
    labels: { severity: alert.severity, area: alert.group, service: 'omnizap' },
    annotations: {
      summary: alert.summary,
      description: `${sentence(alert.condition)} ${alert.action}`,
      // A path in the checkout, not an address: where people read it differs.
      runbook: alertPageOf(alert.name),
    },
  };
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function render(groups: object[]): string {
  return `# ${generatedNote}\n${stringify({ groups }, { lineWidth: 0 })}`;
}
