/** Which faults strike when, drawn from the seed before the run begins. */
import type { Fault } from './faults/fault.ts';
import { createRandom } from './random.ts';

export type Injection = {
  fault: Fault;
  /** After the start of the load. */
  atMs: number;
  /** Of the fault's own choices. */
  stream: number;
};

/** Quiet time at the start, in which the rate without faults is measured. */
export const quietStartMs = 5_000;
/** The last fault strikes this long before the end of the asked-for time, at the latest. */
const quietEndMs = 2_000;
const faultStream = 1;
/** Of the fault that is drawn apart: seeds that do without it strike as they always did. */
const storageStream = 3;
const storageFaultStream = 4;
const firstOwnStream = 100;

/**
 * Three to six injections per 20 s, at drawn times, so that several overlap now and then. Faults are dealt out like cards: all of
 * `faults` strike before one strikes again. What needs object storage strikes once at most, as often as a card would be dealt, and
 * always when it is alone.
 */
export function planFaults(seed: number, faults: Fault[], durationMs: number): Injection[] {
  const dealt = dealFaults(
    seed,
    faults.filter(({ needs }) => needs !== 'object storage'),
    durationMs,
  );
  const random = createRandom(seed, storageStream);
  const apart = faults
    .filter(({ needs }) => needs === 'object storage')
    .filter(() => dealt.length === 0 || random.chance(dealt.length / faults.length))
    .map((fault) => ({ fault, atMs: quietStartMs, stream: storageFaultStream }));
  return [...dealt, ...apart].toSorted((a, b) => a.atMs - b.atMs);
}

function dealFaults(seed: number, faults: Fault[], durationMs: number): Injection[] {
  if (faults.length === 0) return [];
  const random = createRandom(seed, faultStream);
  const perTwentySeconds = random.between(3, 6);
  const count = Math.max(1, Math.round((durationMs / 20_000) * perTwentySeconds));
  const dealt: Fault[] = [];
  while (dealt.length < count) dealt.push(...random.shuffle(faults));
  const latestMs = Math.max(quietStartMs, durationMs - quietEndMs);
  return dealt
    .slice(0, count)
    .map((fault, index) => ({ fault, atMs: random.between(quietStartMs, latestMs), stream: firstOwnStream + index }))
    .toSorted((a, b) => a.atMs - b.atMs);
}
