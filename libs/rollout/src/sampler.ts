/** Samples the fleet, keeps the last quarter of an hour for the gates, and hands on finished minutes. */
import type { LiveProcess } from '@omnizap/runtime';
import { unownedTasks } from './known-metrics.ts';
import { createMinuteRollup, rollupSelectors, type MinuteRow } from './minute-rollup.ts';
import { selectorsOf } from './observe-gate.ts';
import type { Gate } from './plan.ts';
import { longestWindowMs } from './plan-schema.ts';
import type { SampleSource } from './sample-source.ts';
import { createTally, selectorOf, type SourceSample, type Tick } from './tally.ts';

const taskDepth = 'omnizap_task_depth';
const unowned = selectorOf(unownedTasks, {}, [], 'sum');

export function createSampler(gates: Gate[], source: SampleSource) {
  const selectors = [...selectorsOf(gates), ...rollupSelectors];
  const names = new Set([...selectors.map(({ name }) => name), taskDepth].filter((name) => name !== unownedTasks));
  const tally = createTally(selectors, longestWindowMs);
  const rollup = createMinuteRollup();

  return {
    /** `at`: milliseconds since the epoch, by the database's clock. @throws Error when nothing could be sampled */
    async sample(
      at: number,
      processes: LiveProcess[],
    ): Promise<{ finished: MinuteRow[]; silent: string[]; unowned: number }> {
      const { samples, silent } = await source(names, processes);
      const count = countUnowned(samples, processes);
      const tick = tally.add(at, samples, { [unowned.key]: count });
      return { finished: rollup.add(tick), silent, unowned: count };
    },
    ticks: (): readonly Tick[] => tally.ticks(),
  };
}

/** Unfinished tasks of lanes that no live process says it works. */
function countUnowned(samples: SourceSample[], processes: LiveProcess[]): number {
  const served = new Set(processes.flatMap(servedLanes));
  return samples
    .flatMap(({ series }) => series)
    .filter(({ name, labels }) => name === taskDepth && !served.has(`${labels.task_type ?? ''}.${labels.lane ?? ''}`))
    .reduce((sum, { value }) => sum + value, 0);
}

function servedLanes({ status }: LiveProcess): string[] {
  const { lane, task_types: taskTypes } = status;
  return typeof lane === 'string' && Array.isArray(taskTypes) ? taskTypes.map((type) => `${String(type)}.${lane}`) : [];
}
