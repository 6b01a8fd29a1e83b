/** Bugs put in on purpose: what each breaks, and which invariants must notice. A judge that misses one is no judge. */
import type { Invariant } from './invariants.ts';
import type { Weather } from './network.ts';
import type { Rules } from './rules.ts';

export type Mutant = {
  name: string;
  what: string;
  rules: Partial<Rules>;
  /** What shows it sooner than what the seeds draw. */
  weather?: Partial<Weather>;
  blindTo?: Invariant[];
  foundBy: Invariant[];
};

export const mutants: Mutant[] = [
  {
    name: 'guard-removed',
    what: 'A handler writes whatever it found, also when this or a newer version was recorded meanwhile.',
    rules: { guardsVersions: false, refusesOverlap: false },
    foundBy: ['stale-write', 'stale-content', 'not-converged'],
  },
  {
    name: 'mark-before-insert',
    what: 'The relay marks its events first and inserts their tasks then.',
    rules: { insertsBeforeMarking: false },
    foundBy: ['event-lost', 'not-converged'],
  },
  {
    name: 'lease-ignored',
    what: 'Relays work every shard, whoever holds its lease.',
    rules: { checksHold: false },
    foundBy: ['mark-without-lease', 'commit-order'],
  },
  {
    name: 'swallowing-merge',
    what: 'A hint merges into a task of its subject that has started.',
    rules: { mergesWaitingOnly: false },
    foundBy: ['swallowed-hint', 'not-converged'],
  },
  {
    name: 'redrive-twice',
    what: 'A redrive brings back what it has read before, without having deleted it.',
    rules: { deletesBeforeRedrive: false },
    foundBy: ['redriven-twice'],
  },
  {
    name: 'early-left-in',
    what: 'Leases are ignored, and a claim keeps events although an older one of their aggregate is in other hands.',
    rules: { checksHold: false, leavesOutEarly: false },
    // What comes of it is to show, not that leases are ignored.
    blindTo: ['mark-without-lease'],
    foundBy: ['commit-order'],
  },
  {
    name: 'overlap-allowed',
    what: 'A look is recorded although the one before it may have seen later changes.',
    rules: { refusesOverlap: false },
    foundBy: ['stale-content'],
  },
  {
    name: 'attempt-unnamed',
    what: 'Whoever settles a task settles the attempt that is in hand, be it theirs or not.',
    rules: { namesAttempts: false },
    weather: { losesAnswers: 0.06, delaysLong: 0.02 },
    foundBy: ['one-claimer', 'robbed'],
  },
  {
    name: 'neighbours-pay',
    what: 'Every task that was in hand when its process died loses an attempt.',
    rules: { sparesNeighbours: false },
    foundBy: ['punished-neighbour', 'attempts', 'buried-early'],
  },
];

export function findMutant(name: string): Mutant | undefined {
  return mutants.find((mutant) => mutant.name === name);
}
