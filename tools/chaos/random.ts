/** Repeatable choices: one seed decides the load, the schedule of faults and what each of them hits. */
import { createSeededRandom } from '../simulation/seeded-random.ts';

export type Random = {
  /** From 0 (included) to 1 (excluded). */
  next: () => number;
  /** A whole number from `low` to `high`, both included. */
  between: (low: number, high: number) => number;
  chance: (probability: number) => boolean;
  /** @throws RangeError for an empty list */
  pick: <T>(values: readonly T[]) => T;
  shuffle: <T>(values: readonly T[]) => T[];
};

/** Streams of one seed differ by `stream`, so that one more draw for the load does not move the faults. */
export function createRandom(seed: number, stream = 0): Random {
  const next = createSeededRandom((Math.imul(seed, 0x9e3779b1) ^ Math.imul(stream + 1, 0x85ebca6b)) >>> 0);
  const between = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1));
  return {
    next,
    between,
    chance: (probability) => next() < probability,
    pick<T>(values: readonly T[]): T {
      if (values.length === 0) throw new RangeError('Nothing to pick from');
      return values[between(0, values.length - 1)] as T;
    },
    shuffle<T>(values: readonly T[]): T[] {
      const rest = [...values];
      for (let index = rest.length - 1; index > 0; index -= 1) {
        const other = between(0, index);
        [rest[index], rest[other]] = [rest[other] as T, rest[index] as T];
      }
      return rest;
    },
  };
}
