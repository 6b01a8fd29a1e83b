/**
 * Dashboards as the linter wants them, about series that exist, in PromQL that promtool understands; and the configuration of the
 * Prometheus that they ask. That the files are as generated is looked at where everything generated is.
 */
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { boardQueries, buildDashboards, dashboardFolder, generateDashboards } from '../grafana/dashboards.ts';
import { findLayoutProblems } from '../grafana/layout.ts';
import { lintDashboards } from '../grafana/lint-dashboard.ts';
import type { LintDashboard } from '../grafana/lint-rule.ts';
import { findQueryProblems, knownSeries } from '../grafana/query-problems.ts';
import { findingsOf } from './gate.ts';
import type { MonitoringTools, ObservabilityGate } from './gate.ts';

const prometheusFolder = 'observability/prometheus';

export function createDashboardsGate(root: string, { promtool }: Pick<MonitoringTools, 'promtool'>): ObservabilityGate {
  return {
    name: 'dashboards',
    run: async (signal) => {
      const dashboards = buildDashboards();
      const known = await knownSeries();
      return {
        findings: [
          ...(await findStrangers(root)),
          ...lintDashboards(dashboards as unknown as LintDashboard[]).map(
            ({ rule, dashboard, panel = 'the dashboard', message }) => `${rule}: ${dashboard}: ${panel}: ${message}`,
          ),
          ...dashboards.flatMap(findLayoutProblems),
          ...boardQueries().flatMap(({ of, ...query }) =>
            findQueryProblems(query, known).map((problem) => `${of}: ${problem}`),
          ),
          ...(await inTemporaryFolder((folder) => checkSyntax(promtool, folder, signal))),
        ],
      };
    },
  };
}

/** Prometheus' configuration, with its rules and a token. */
export function createPrometheusGate(root: string, { promtool }: Pick<MonitoringTools, 'promtool'>): ObservabilityGate {
  return {
    name: 'prometheus',
    run: async (signal) => ({
      findings: await inTemporaryFolder(async (folder) => {
        await cp(path.join(root, prometheusFolder), folder, { recursive: true });
        await mkdir(path.join(folder, 'secrets'), { recursive: true });
        await writeFile(path.join(folder, 'secrets/metrics-token'), 'a-token');
        return await findingsOf(promtool, ['check', 'config', 'prometheus.yml'], { cwd: folder, signal });
      }),
    }),
  };
}

/** Grafana would show them, and nobody would change them: a dashboard that is no longer made. */
async function findStrangers(root: string): Promise<string[]> {
  const made = generateDashboards();
  return (await readdir(path.join(root, dashboardFolder)).catch(() => []))
    .map((name) => `${dashboardFolder}/${name}`)
    .filter((file) => !made.has(file))
    .map((file) => `${file} is made by nothing: remove it`);
}

/** promtool reads queries as rules only. Each gets a name, by which its complaint is found. */
async function checkSyntax(promtool: string, folder: string, signal: AbortSignal): Promise<string[]> {
  const rules = boardQueries().map(({ expr }, index) => ({ record: `panel:query_${index}`, expr }));
  await writeFile(path.join(folder, 'queries.yml'), stringify({ groups: [{ name: 'queries', rules }] }));
  return await findingsOf(promtool, ['check', 'rules', '--lint=none', 'queries.yml'], { cwd: folder, signal });
}

async function inTemporaryFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), 'omnizap-dashboards-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
