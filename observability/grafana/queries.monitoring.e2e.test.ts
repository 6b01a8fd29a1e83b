/** What the forms of queries make of series, as Prometheus computes them. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { MonitoringInstallation } from '@omnizap/embedded';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { findingsOf } from '../check/gate.ts';
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
