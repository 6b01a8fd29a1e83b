/** What the checker has to know besides requests and tables: what the harness itself did to the data, and when the run was. */

import type { FlagName, Flip } from '../flags/flip.ts';

export type KnownFacts = {
  /** Events that cannot be relayed, put there on purpose: each must become a dead letter, once. */
  poisonEvents: number[];
  /** Content whose file was damaged on disk: its stickers may end as rejected. */
  damagedContent: string[];
  flips: Flip[];
  /** From when on every process had heard of a flip; Infinity when nobody knows. */
  knownEverywhereAt: (flip: Flip, flag: FlagName) => number;
  startedAt: number;
  endedAt: number;
};
