/** What the forms of queries make of series, as Prometheus computes them. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { MonitoringInstallation } from '@omnizap/embedded';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { findingsOf } from '../check/gate.ts';
import { panelQueries } from './dashboards.ts';
import { failedPart } from './queries.ts';

const { promtool } = JSON.parse(process.env.OMNIZAP_TEST_MONITORING ?? '{}') as MonitoringInstallation;
const promtoolMs = 30_000;

let folder: string;
beforeAll(async () => (folder = await mkdtemp(path.join(tmpdir(), 'omnizap queries '))));
afterAll(async () => await rm(folder, { recursive: true, force: true }));

describe('the failed part', () => {
  it.each([
    ['is the part of all', { failed: 2, answered: 8 }, 0.25],
    ['is 0 where nothing failed', { failed: 0, answered: 8 }, 0],
    ['is 0 where nothing could have failed yet', { answered: 8 }, 0],
    ['is all of it where no answer was good', { failed: 2, answered: 0 }, 1],
    ['is all of it where there never was an answer', { failed: 2 }, 1],
    ['is no more than all of it', { failed: 8, answered: 2 }, 1],
  ])(
    '%s',
    async (_, values, wanted) => {
      const series = Object.entries(values).map(([name, value]) => [`${name}{database="queue"}`, `${value}`]);
      expect(await problemsOf(failedPart('failed', 'answered'), '0s', series, ['{database="queue"}', wanted])).toEqual(
        [],
      );
    },
    promtoolMs,
  );
});

describe('the budget that is left', () => {
  const [expr = ''] = panelQueries()
    .filter(({ panel }) => panel === 'Budget left of 30 days: failed requests')
    .map((query) => query.expr);
  // 100 requests in every five minutes, that is 864,000 in 30 days, of which 4,320 may fail.
  const all = ['fleet:omnizap_http_requests:increase5m', '100+0x14400'];
  const failed = 'fleet:omnizap_http_requests_failed:increase5m';

  it.each([
    ['is all of it while nothing failed', '0+0x8640', '30d', 1],
    ['is a half after half of the failures, all of them in a bad hour', '0+0x4999 180+0x11 0+0x3628', '30d', 0.5],
    ['has that hour behind it after as many days', '0+0x4999 180+0x11 0+0x9000', '48d', 1],
    ['is below nothing when more failed than may', '1+0x8640', '30d', -1],
    ['is of the days that there are', '0+0x143 1+0x143', '23h55m', 0],
  ])(
    '%s',
    async (_, values, at, wanted) => {
      expect(await problemsOf(expr, at, [all, [failed, values]], ['{}', wanted])).toEqual([]);
    },
    promtoolMs,
  );
});

/** What promtool says when the expression is not that one sample then. Values are five minutes apart. */
async function problemsOf(
  expr: string,
  at: string,
  series: readonly string[][],
  [labels, value]: readonly [string, number],
): Promise<string[]> {
  const rounded = `round(${expr}, 0.001)`;
  const test = {
    interval: '5m',
    input_series: series.map(([name, values]) => ({ series: name, values })),
    promql_expr_test: [{ expr: rounded, eval_time: at, exp_samples: [{ labels, value }] }],
  };
  await writeFile(path.join(folder, 'test.yml'), stringify({ rule_files: [], tests: [test] }));
  const signal = AbortSignal.timeout(promtoolMs);
  return await findingsOf(promtool, ['test', 'rules', 'test.yml'], { cwd: folder, signal });
}
