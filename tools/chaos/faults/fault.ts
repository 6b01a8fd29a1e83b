/** One way in which things go wrong: drawn from the seed, put in, and taken out again by itself. */
import type { DatabaseServer } from '../database-server.ts';
import type { Flipper } from '../flags/flipper.ts';
import type { Fleet, Replacement, Slot } from '../fleet.ts';
import type { KnownFacts } from '../judge/known-facts.ts';
import type { AssetLoad } from '../storage/asset-load.ts';
import type { StorageRun } from '../storage/storage-run.ts';
import type { LaneDeath } from '../take-over.ts';
import type { Load } from '../load.ts';
import type { Random } from '../random.ts';
import type { DatabaseKind, Sql } from '../sql.ts';

/** What a fault may disturb besides what it hits, for whoever measures how fast the fleet recovers. */
export type Reach = 'processes' | 'database' | 'network' | 'data' | 'flags' | 'storage';

export type FaultContext = {
  kind: DatabaseKind;
  fleet: Fleet;
  /** Both are the same server when everything is in PostgreSQL. */
  servers: { catalogue: DatabaseServer; queue: DatabaseServer };
  catalogue: Sql;
  queue: Sql;
  catalogueUrl: string;
  queueUrl: string;
  load: Load;
  flipper: Flipper;
  /** Of one flag-flip; drawn when not given. */
  flips: number | undefined;
  laneDeaths: LaneDeath[];
  replacements: Replacement[];
  dataDir: string;
  /** Of the whole load, for faults that last longer when there is time. */
  durationSeconds: number;
  facts: KnownFacts;
  /** Adds a line to the history. */
  note: (detail: object) => void;
  /** Rejects when the run is interrupted. */
  wait: (milliseconds: number) => Promise<void>;
  /** Shifts the clock of one process, 0 takes the shift back. */
  shiftClock: (slot: string, offsetMs: number) => Promise<void>;
  /** Takes all free space of the database's disk; resolves to what gives it back. Absent where the disk is not small. */
  fillDisk: (() => Promise<() => Promise<void>>) | undefined;
  /** Absent where no fault of the run is about it. */
  storage: (Pick<StorageRun, 'server' | 'outages'> & { assets: AssetLoad }) | undefined;
};

export type Fault = {
  name: string;
  /** For the list in the help. */
  summary: string;
  reach: Reach;
  /** Set where it needs more than every machine has. */
  needs?: 'small disk' | 'object storage';
  /** Set where it means little without workers of a second release. */
  isAboutLanes?: boolean;
  /** Resolves when everything is as it was. Draws all its choices from `random`. */
  inject: (context: FaultContext, random: Random) => Promise<void>;
};

/** A process of one of these kinds, whatever its state. */
export function pickSlot(context: FaultContext, random: Random, kinds?: string[]): Slot {
  return random.pick(context.fleet.slots.filter(({ kind }) => kinds === undefined || kinds.includes(kind)));
}
