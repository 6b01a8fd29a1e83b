/**
 * Brings what the catalogue has into the bucket, sticker by sticker. Where it stopped is written nowhere: what was checked is
 * marked, and passed over by whoever comes again. Several at once only do some of it twice.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { AppError, type Database } from '@omnizap/runtime';
import { createStorageFailures } from './storage-failures.ts';
import { contentsToBringIn, countContentsToBringIn, wantedAssetsAfter } from './stored-content-store.ts';
import type { StickerObjects } from './sticker-objects.ts';
import type { Content } from './stored-object-store.ts';

const stickersPerBatch = 500;
/** What timers that are late and single slow objects lose is made up for; a longer wait is not. */
const catchUpMs = 100;

export type BackfillOptions = {
  /** Objects begun per second at most. */
  ratePerSecond: number;
  concurrency: number;
  onProgress?: (done: number, total: number) => void;
};

export type BackfillResult = {
  /** Put there, or found there, and checked. */
  stored: number;
  /** Others brought it in meanwhile. */
  wasThere: number;
  /** Being removed at this moment: a sweep, or the next backfill, brings it in. */
  beingRemoved: number;
  /** Bytes that this host does not have. */
  missingHere: number;
  failed: number;
  /** The first of those that failed, in words. */
  failures: { key: string; reason: string }[];
  /** Why it ended early. */
  stopped: string | null;
  seconds: number;
};

type Deps = { database: Database; stickerObjects: StickerObjects; keyOf: (content: Content) => string };

/** @throws what the database throws; failures of single objects are part of the result */
export async function backfillObjects(deps: Deps, options: BackfillOptions): Promise<BackfillResult> {
  const { stickerObjects, keyOf } = deps;
  const { knex } = deps.database;
  const { ratePerSecond, concurrency, onProgress } = options;
  const total = await countContentsToBringIn(knex);
  const startedAt = performance.now();
  const counts = { stored: 0, wasThere: 0, beingRemoved: 0, missingHere: 0 };
  const failures = createStorageFailures();
  let done = 0;

  async function bringIn(content: Content): Promise<void> {
    try {
      counts[outcomeOf[await stickerObjects.bringIn(content)]] += 1;
      failures.succeed();
    } catch (error) {
      if (error instanceof AppError && error.code === 'unavailable') counts.missingHere += 1;
      else failures.note(keyOf(content), error);
    }
    done += 1;
    onProgress?.(done, Math.max(done, total));
  }

  const nextContent = walk(knex);
  const takeTurn = paced(ratePerSecond);
  /** Each takes the next when it is done with one: a slow one holds up nobody else. */
  async function work(): Promise<void> {
    while (failures.stopped() === null) {
      const next = await nextContent();
      if (next === null) return;
      await takeTurn();
      await bringIn(next);
    }
  }
  await Promise.all(Array.from({ length: concurrency }, work));
  return {
    ...{ ...counts, failed: failures.count(), failures: failures.list, stopped: failures.stopped() },
    seconds: (performance.now() - startedAt) / 1_000,
  };
}

const outcomeOf = { stored: 'stored', 'was-there': 'wasThere', 'being-removed': 'beingRemoved' } as const;

/** Contents to bring in, one after the other; asked by several at once, each is given once. Null at the end. */
function walk(knex: Database['knex']): () => Promise<Content | null> {
  let waiting: Content[] = [];
  let after: string | null = null;
  let isOver = false;
  let turn: Promise<void> = Promise.resolve();

  async function fill(): Promise<void> {
    while (waiting.length === 0 && !isOver) {
      const ids: string[] = await wantedAssetsAfter(knex, after, stickersPerBatch);
      isOver = ids.length < stickersPerBatch;
      after = ids.at(-1) ?? after;
      if (ids.length > 0) waiting = await contentsToBringIn(knex, ids);
    }
  }

  return async () => {
    while (waiting.length === 0 && !isOver) {
      turn = turn.then(fill);
      await turn;
    }
    return waiting.shift() ?? null;
  };
}

/** Waits so that no more than `ratePerSecond` begin. */
function paced(ratePerSecond: number): () => Promise<void> {
  const stepMs = 1_000 / ratePerSecond;
  let freeAt = performance.now();
  return async () => {
    const now = performance.now();
    freeAt = Math.max(freeAt + stepMs, now - catchUpMs);
    if (freeAt > now) await delay(freeAt - now);
  };
}
