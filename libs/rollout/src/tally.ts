/**
 * Adds up what the processes of the fleet export. Counters live in processes that come and go: each process's increase since its
 * last sample is added to a total that only grows, so that a restart neither loses nor doubles anything. What is kept is bounded:
 * only what gates and the roll-up select, for as long as the longest window.
 */
import type { Series } from './metrics-text.ts';
import type { Matchers } from './plan.ts';

export type Selector = {
  key: string;
  /** Of the series: `_bucket`, `_count` and `_sum` are names of their own. */
  name: string;
  where: Matchers;
  /** Labels that tell groups apart; all others are added up. */
  by: string[];
  fold: 'counter' | 'sum' | 'max';
};

/** What one process says, or one scrape target of Prometheus. */
export type SourceSample = {
  source: string;
  /** Milliseconds since the epoch; null when it does not say. */
  startedAt: number | null;
  series: Series[];
};

/** Values by selector and group. */
export type Tick = { at: number; values: Map<string, Map<string, number>>; deltas: Map<string, Map<string, number>> };

/** A process that is not seen for so long is gone; one that comes back earlier goes on where it was. */
const forgetAfterMs = 15 * 60_000;

export function selectorOf(name: string, where: Matchers, by: string[], fold: Selector['fold']): Selector {
  return { key: JSON.stringify([name, where, by, fold]), name, where, by, fold };
}

function groupKey(labels: Record<string, string>, by: string[]): string {
  return by.map((label) => `${label}=${labels[label] ?? ''}`).join(',');
}

export function createTally(selectors: Selector[], keepMs: number) {
  const byName = Map.groupBy(new Map(selectors.map((one) => [one.key, one])).values(), ({ name }) => name);
  const lastSeen = new Map<string, { at: number; counters: Map<string, number> }>();
  const totals = new Map<string, Map<string, number>>();
  let ticks: Tick[] = [];

  function add(map: Map<string, Map<string, number>>, key: string, group: string, value: number): void {
    const groups = map.get(key) ?? new Map<string, number>();
    groups.set(group, (groups.get(group) ?? 0) + value);
    map.set(key, groups);
  }

  function ingest(at: number, sample: SourceSample, tick: Tick): void {
    const counters = new Map<string, number>();
    for (const { name, labels, value } of sample.series)
      for (const selector of byName.get(name) ?? []) {
        if (!matches(labels, selector.where)) continue;
        const group = groupKey(labels, selector.by);
        if (selector.fold === 'counter') {
          const key = `${selector.key}\n${group}`;
          counters.set(key, (counters.get(key) ?? 0) + value);
        } else if (selector.fold === 'sum') add(tick.values, selector.key, group, value);
        else {
          const groups = tick.values.get(selector.key) ?? new Map<string, number>();
          groups.set(group, Math.max(groups.get(group) ?? -Infinity, value));
          tick.values.set(selector.key, groups);
        }
      }
    const before = lastSeen.get(sample.source)?.counters;
    // Met for the first time: what it counted since it began is ours to count only when it began after our last sample.
    const isNew =
      before === undefined && sample.startedAt !== null && sample.startedAt > (ticks.at(-1)?.at ?? Infinity);
    for (const [key, value] of counters) {
      const [selectorKey = '', group = ''] = key.split('\n');
      const earlier = before?.get(key) ?? (before !== undefined || isNew ? 0 : value);
      const delta = value >= earlier ? value - earlier : value;
      add(totals, selectorKey, group, delta);
      add(tick.deltas, selectorKey, group, delta);
    }
    lastSeen.set(sample.source, { at, counters });
  }

  return {
    /** `at`: milliseconds since the epoch. `extra`: gauges that are no process's own, by selector key. */
    add(at: number, samples: SourceSample[], extra: Record<string, number> = {}): Tick {
      const tick: Tick = { at, values: new Map(), deltas: new Map() };
      for (const sample of samples) ingest(at, sample, tick);
      for (const [key, value] of Object.entries(extra)) add(tick.values, key, '', value);
      for (const [key, groups] of totals) tick.values.set(key, new Map(groups));
      for (const [source, { at: seenAt }] of lastSeen) if (at - seenAt > forgetAfterMs) lastSeen.delete(source);
      ticks = [...ticks.filter((one) => at - one.at <= keepMs), tick];
      return tick;
    },
    ticks: (): readonly Tick[] => ticks,
  };
}

function matches(labels: Record<string, string>, where: Matchers): boolean {
  return Object.entries(where).every(([label, values]) => values.includes(labels[label] ?? ''));
}
