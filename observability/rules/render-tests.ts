/** promtool's unit tests: what fires each alert, what keeps it silent, and that it waits as long as it should. */
import { stringify } from 'yaml';
import type { AlertCase } from '../cases/alert-case.ts';
import { alertCases } from '../cases/alert-cases.ts';
import { alertGroups, alerts as allAlerts } from '../slo.ts';
import type { Alert, Duration } from '../slo.ts';
import { recordedFor, recordingGroups } from './recording-rules.ts';
import { alertFileOf, alertGroupNameOf, generatedNote, recordingFileOf } from './render-rules.ts';

const defaultStep: Duration = '1m';

type Options = {
  alerts?: readonly Alert[];
  /** Only these cases: tests of the cases save time. */
  only?: 'fires' | 'silent';
  /** Where the rule files are, from the folder of the tests. */
  rulesFolder?: string;
};

/** File names with what is in them: for each group of alerts, one per step of the samples. */
export function renderTests({ alerts = allAlerts, only, rulesFolder = '../rules' }: Options = {}): Map<string, string> {
  const files = new Map<string, string>();
  for (const group of alertGroups) {
    const own = alerts.filter((alert) => alert.group === group);
    const ruleFiles = [...recordedFor[group].map(recordingFileOf), alertFileOf(group)];
    const recorded = recordingGroups.filter(({ file }) => recordedFor[group].includes(file));
    for (const step of stepsOf(own)) {
      const document = {
        rule_files: ruleFiles.map((file) => `${rulesFolder}/${file}`),
        evaluation_interval: step,
        // promtool has no order of its own, and with long steps what was recorded a step ago is forgotten.
        group_eval_order: [...recorded.map(({ name: groupName }) => groupName), alertGroupNameOf(group)],
        tests: own.flatMap((alert) => testsOf(alert, step, only)),
      };
      const name = step === defaultStep ? `${group}.yml` : `${group}-by-${step}.yml`;
      files.set(name, `# ${generatedNote}\n${stringify(document, { lineWidth: 0 })}`);
    }
  }
  return files;
}

function stepsOf(alerts: readonly Alert[]): Duration[] {
  const cases = alerts.flatMap(({ name }) => [...(alertCases[name]?.fires ?? []), ...(alertCases[name]?.silent ?? [])]);
  return [...new Set(cases.map(({ step = defaultStep }) => step))];
}

/**
 * ALERTS is looked at rather than what would be sent: a test must not have to repeat texts. promtool evaluates at its own interval
 * whatever the groups say, so that is the step of the samples, and slow cases have long ones.
 */
function testsOf({ name }: Alert, step: Duration, only?: 'fires' | 'silent'): object[] {
  const cases = alertCases[name];
  if (cases === undefined) return [];
  const firing = `count by (alertname) (ALERTS{alertname="${name}",alertstate="firing"})`;
  const isOfStep = (entry: AlertCase): boolean => (entry.step ?? defaultStep) === step;
  const test = ({ title, series }: AlertCase, looks: object[]): object => ({
    name: `${name}: ${title}`,
    interval: step,
    input_series: Object.entries(series).map(([key, values]) => ({ series: key, values })),
    promql_expr_test: looks,
  });
  const silentAt = (at: string): object => ({ expr: firing, eval_time: at, exp_samples: [] });
  return [
    ...(only === 'silent' ? [] : cases.fires).filter(isOfStep).map((entry) =>
      test(entry, [
        ...(entry.notYetAt === undefined ? [] : [silentAt(entry.notYetAt)]),
        {
          expr: firing,
          eval_time: entry.at,
          exp_samples: [{ labels: `{alertname="${name}"}`, value: entry.count ?? 1 }],
        },
      ]),
    ),
    ...(only === 'fires' ? [] : cases.silent).filter(isOfStep).map((entry) => test(entry, [silentAt(entry.at)])),
  ];
}
