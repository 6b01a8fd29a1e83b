/** What one seed draws before its world begins: who takes part, what clients do, and what goes wrong. */
import type { TaskSettings } from '@omnizap/tasks';
import type { Weather } from './network.ts';

export type Poison = 'throws' | 'kills' | 'hangs';
export type Change = { atMs: number; aggregateId: string; isEventPoison: boolean };
export type Mishap = { atMs: number; kind: 'crash' | 'sleep' | 'restart'; slot: number; forMs: number };

export type Plan = ReturnType<typeof drawPlan>;

const calm: Weather = { slowestMs: 4, breaks: 0, losesAnswers: 0, delaysLong: 0, tears: 0 };

export function drawPlan(random: () => number) {
  const upTo = (most: number): number => Math.floor(random() * (most + 1));
  const between = (least: number, most: number): number => least + upTo(most - least);
  const chance = (probability: number): boolean => random() < probability;

  const assets = Array.from({ length: between(1, 4) }, (_, index) => `asset-${index}`);
  const packs = Array.from({ length: between(1, 2) }, (_, index) => `pack-${index}`);
  const loadMs = between(2_000, 9_000);
  const hasEventPoison = chance(0.2);
  const changes: Change[] = Array.from({ length: between(4, 14) }, () => ({
    atMs: upTo(loadMs),
    // Now and then a pack itself changes.
    aggregateId: pick(chance(0.8) ? assets : packs),
    isEventPoison: hasEventPoison && chance(0.15),
  }));

  const slots = {
    api: 2,
    relay: between(1, 3),
    stable: between(1, 2),
    canary: chance(0.4) ? 1 : 0,
    leader: chance(0.3) ? 2 : 1,
  };
  const processes = slots.api + slots.relay + slots.stable + slots.canary + slots.leader;
  const mishaps: Mishap[] = Array.from({ length: chance(0.75) ? between(1, 5) : 0 }, () => ({
    atMs: upTo(loadMs + 3_000),
    kind: pick(['crash', 'sleep', 'sleep', 'restart'] as const),
    slot: upTo(processes - 1),
    forMs: pick([between(100, 3_000), between(5_000, 9_000), between(6_000, 14_000)]),
  }));
  const areSweepsOn = chance(0.7);

  const settings: TaskSettings[] = [
    { type: 'classification', coalesceSeconds: 0 },
    { type: 'rebuild', coalesceSeconds: chance(0.5) ? 1 : 0 },
  ].map((entry) => ({
    ...entry,
    ...{ retryLimit: 2, crashLimit: 2, timeoutSeconds: 4, firstRetryMs: 300, longestRetryMs: 2_000, postponeLimit: 5 },
  }));

  return {
    assets,
    packs,
    packOf: (asset: string): string => packs[assets.indexOf(asset) % packs.length] as string,
    assetsOf: (pack: string): string[] => assets.filter((_, index) => packs[index % packs.length] === pack),
    loadMs,
    changes,
    slots,
    mishaps,
    areSweepsOn,
    /** Only sweeps can tell what was in the rows. */
    rowsLostAtMs: areSweepsOn && chance(0.15) ? upTo(loadMs) : null,
    settings,
    /** Which subjects cannot be worked until somebody has cured them. */
    poison: new Map(chance(0.25) ? [[pick(assets), pick(['throws', 'kills', 'hangs'] as Poison[])]] : []),
    maxAttempts: between(2, 4),
    failureRate: chance(0.5) ? random() * 0.15 : 0,
    postponeRate: chance(0.2) ? random() * 0.2 : 0,
    longestWorkMs: pick([0, 20, 300, 1_500]),
    concurrency: between(1, 4),
    laneFlips: slots.canary === 0 ? [] : Array.from({ length: upTo(3) }, () => upTo(loadMs)),
    hasOperator: chance(0.6),
    cures: chance(0.7),
    losesWakeups: chance(0.3) ? 0.5 : 0,
    doublesHints: chance(0.2) ? 0.1 : 0,
    weather: chance(0.3)
      ? calm
      : {
          slowestMs: pick([4, 20, 60]),
          breaks: random() * 0.02,
          losesAnswers: random() * 0.02,
          delaysLong: chance(0.5) ? random() * 0.01 : 0,
          tears: random() * 0.2,
        },
  };

  function pick<T>(values: readonly T[]): T {
    return values[upTo(values.length - 1)] as T;
  }
}
