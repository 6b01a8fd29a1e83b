/** A report to test with: steady seconds with made-up latencies around a figure. */
import { createSeededRandom } from '../simulation/seeded-random.ts';
import { buildReport } from './build-report.ts';
import { parseLoadOptions } from './load-options.ts';
import type { LoadReport } from './report-schema.ts';
import { groupsOfPaths, type RequestGroup } from './request-mix.ts';
import { addToTally, createTally, isUseful, type Outcome } from './tally.ts';

const perSecond = 100;

export type SampleOptions = {
  latencyMs: number;
  seed: number;
  args?: string[];
  paths?: string[];
  groups?: RequestGroup[];
  leftOut?: string[];
  /** Of the request with that number. */
  outcomeOf?: ((request: number) => Outcome) | undefined;
};

export function sampleReport({
  latencyMs,
  seed,
  args = ['--rate', '100'],
  paths = ['/a', '/b'],
  groups = groupsOfPaths(paths),
  leftOut = [],
  outcomeOf,
}: SampleOptions): LoadReport {
  const options = parseLoadOptions(args, { baseUrl: 'http://127.0.0.1:9102', sloTargetMs: undefined });
  if (options === null) throw new Error('Only the help was asked for');
  const { durationSeconds, model } = options;
  const tally = createTally(groups.length, durationSeconds);
  const random = createSeededRandom(seed);
  for (let second = 0; second < durationSeconds; second += 1) {
    for (let request = 0; request < perSecond; request += 1) {
      const number = second * perSecond + request;
      const ms = latencyMs * (0.5 + random());
      const ended = {
        group: number % groups.length,
        path: '/a',
        slice: second,
        latencyMs: ms,
        fromSendMs: ms,
        isLate: false,
        at: new Date(number),
      };
      const outcome = outcomeOf?.(number) ?? { kind: 'answered', status: 200 };
      addToTally(tally, ended, outcome);
      const slice = tally.slices[second];
      if (slice && isUseful(outcome)) slice.ended += 1;
    }
  }
  return buildReport(options, {
    run: {
      startedAt: new Date(0),
      endedAt: new Date(durationSeconds * 1_000),
      durationSeconds,
      sliceSeconds: 1,
      tally,
      health: [{ utilisation: 0.1, loopDelayP99Ms: 1 }],
      isInterrupted: false,
    },
    model,
    groups,
    leftOut,
    queue: null,
    dataset: { packs: 100, stickers: 2_000 },
    targetVersion: '0.1.0',
    machine: { host: 'h', cores: 2, cpu: 'c', memory_gib: 1, kernel: 'k', node: 'n', load_before: 0 },
    thresholds: { sloMs: options.sloMs, p99Ms: 1_500, errorRatio: 0.02 },
  });
}
