/** Rules and their tests: as generated, as promtool wants them, and about metrics that exist. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { generateAlertFiles } from '../generated-files.ts';
import { contractMetrics, metricOfSeries } from '../metric-names.ts';
import { recordingGroups } from '../rules/recording-rules.ts';
import { expressionOf, renderRules } from '../rules/render-rules.ts';
import { renderTests } from '../rules/render-tests.ts';
import { alerts } from '../slo.ts';
import { findingsOf } from './gate.ts';
import type { MonitoringTools, ObservabilityGate } from './gate.ts';

/** Of Prometheus itself and of prom-client, that rules may name. */
const othersMetrics = ['up', 'ALERTS', 'nodejs_eventloop_lag_p99_seconds'];

/** A file that is not as it would be generated now. */
export function createDriftGate(root: string, generate: () => ReadonlyMap<string, string>): ObservabilityGate {
  return {
    name: 'generated',
    run: async () => {
      const findings: string[] = [];
      for (const [file, wanted] of generate()) {
        const text = await readFile(path.join(root, file), 'utf8').catch(() => null);
        if (text === wanted) continue;
        findings.push(`${file} ${text === null ? 'is missing' : 'is not up to date'}: npm run observability:generate`);
      }
      return { findings };
    },
  };
}

/** promtool's opinion of the rules, also of hastened ones. */
export function createRulesGate(root: string, { promtool }: Pick<MonitoringTools, 'promtool'>): ObservabilityGate {
  return {
    name: 'rules',
    run: async (signal) => {
      const files = [...renderRules().keys()].map((name) => `observability/prometheus/rules/${name}`);
      const args = ['check', 'rules', '--lint=all', '--lint-fatal', ...files];
      return { findings: [...(await findingsOf(promtool, args, { cwd: root, signal })), ...findUnknownMetrics()] };
    },
  };
}

/** Every alert fires and keeps silent as its cases say. One after the other: they fill a core each. */
export function createRuleTestsGate(root: string, { promtool }: Pick<MonitoringTools, 'promtool'>): ObservabilityGate {
  return {
    name: 'rule tests',
    run: async (signal) => {
      const findings: string[] = [];
      for (const name of renderTests().keys()) {
        const file = `observability/prometheus/tests/${name}`;
        findings.push(...(await findingsOf(promtool, ['test', 'rules', file], { cwd: root, signal })));
      }
      return { findings };
    },
  };
}

/** Names in rules that nobody exports or records: at run time such a rule looks exactly like one about something quiet. */
export function findUnknownMetrics(
  expressions: readonly { of: string; text: string }[] = allExpressions(),
  metrics = contractMetrics(),
): string[] {
  const recorded = new Set(recordingGroups.flatMap(({ rules }) => rules.map(({ record }) => record)));
  return expressions.flatMap(({ of, text }) =>
    namesIn(text)
      .filter(
        (name) => !recorded.has(name) && !othersMetrics.includes(name) && metricOfSeries(metrics, name) === undefined,
      )
      .map((name) => `${of} names ${name}, which is neither in section 7 of runbooks/contract.md nor recorded`),
  );
}

function allExpressions(): { of: string; text: string }[] {
  return [
    ...alerts.map((alert) => ({ of: alert.name, text: expressionOf(alert) })),
    ...recordingGroups.flatMap(({ rules }) =>
      rules.map(({ record, expression }) => ({ of: record, text: expression })),
    ),
  ];
}

/** Names of series: what is left without strings, label lists, grouping and functions. */
function namesIn(expression: string): string[] {
  const bare = expression
    .replaceAll(/"[^"]*"/g, '')
    .replaceAll(/\{[^}]*\}/g, ' ')
    .replaceAll(/\[[^\]]*\]/g, ' ')
    .replaceAll(/\b(?:by|on|without|ignoring)\s*\([^)]*\)/g, ' ')
    .replaceAll(/\boffset \S+/g, ' ');
  const words = bare.match(/[a-zA-Z_:][\w:]*(?!\w*\s*\()/g) ?? [];
  return [...new Set(words.filter((word) => !['and', 'or', 'unless'].includes(word) && !isFunction(word, bare)))];
}

function isFunction(word: string, text: string): boolean {
  return new RegExp(`\\b${word}\\s*\\(`).test(text);
}
