/** What was done to the flags, and what may therefore have been true of one at a time. */
import murmurhash from 'murmurhash';

export const flagNames = [
  'enable_ranking_snapshot_read',
  'enable_domain_event_outbox',
  'enable_worker_dedicated_processes',
  'enable_worker_canary_release',
  'enable_object_storage_delivery',
] as const;
export type FlagName = (typeof flagNames)[number];
export type FlagState = { isEnabled: boolean; percent: number };

/** The migration's. */
export const firstStates: Record<FlagName, FlagState> = {
  enable_ranking_snapshot_read: { isEnabled: true, percent: 100 },
  enable_domain_event_outbox: { isEnabled: true, percent: 100 },
  enable_worker_dedicated_processes: { isEnabled: true, percent: 100 },
  enable_worker_canary_release: { isEnabled: false, percent: 0 },
  enable_object_storage_delivery: { isEnabled: false, percent: 0 },
};

export type Flip = {
  flags: FlagName[];
  state: FlagState;
  /** `sql`: as an operator types it; `store`: as the CLI does it, with the version that it saw; `emergency`: three at once, typed; `end`: the end state. */
  how: 'sql' | 'store' | 'emergency' | 'end';
  /** Milliseconds since the epoch, before the statement was sent and after it was answered: the commit is in between. */
  askedAt: number;
  answeredAt: number;
  /** False when no answer came: it may or may not have been carried out. */
  isCertain: boolean;
};

export const effective = ({ isEnabled, percent }: FlagState): number => (isEnabled ? percent : 0);

/**
 * A process may go by a value for so long after it was replaced: the contract's 2 s, and what a process that was frozen (9.5 s) or
 * cut off still has to do with what it knew.
 */
const longestMemoryMs = 15_000;

/**
 * The lowest and the highest effective percentage that a process may have gone by between two times. `isKnown` tells of which
 * flips that process is known to have heard before.
 */
export function possiblePercents(
  flips: Flip[],
  flag: FlagName,
  fromMs: number,
  toMs: number,
  isKnown: (flip: Flip) => boolean = () => false,
): { low: number; high: number } {
  const own = flips.filter(({ flags }) => flags.includes(flag)).toSorted((a, b) => a.askedAt - b.askedAt);
  const settledMs = fromMs - longestMemoryMs;
  const lastSettled = own.findLastIndex((flip) => flip.isCertain && (flip.answeredAt <= settledMs || isKnown(flip)));
  const before = own[lastSettled]?.state ?? firstStates[flag];
  const later = own.slice(lastSettled + 1).filter(({ askedAt }) => askedAt <= toMs);
  const percents = [before, ...later.map(({ state }) => state)].map(effective);
  return { low: Math.min(...percents), high: Math.max(...percents) };
}

/** As the contract defines it, computed without the product's code. */
export function bucketOf(flag: FlagName, subject: string): number {
  return (murmurhash.v3(`${flag}:${subject}`, 0) % 100) + 1;
}
