/** Reads for clients: ranked pages from a published generation, one pack in full, the bytes of one sticker. */
import { LRUCache } from 'lru-cache';
import { AppError, type Database } from '@omnizap/runtime';
import type { Actor } from './packs.ts';
import { isReachable } from './packs.ts';
import {
  findServedFile,
  readPackStamps,
  readPackViews,
  readStickers,
  type PackView,
  type StickerView,
} from './catalogue-store.ts';
import { formatCursor, parseCursor, type Cursor, type LiveCursor, type SnapshotCursor } from './cursor.ts';
import { createLiveRanking, positionAfter, type LiveOrder } from './live-ranking.ts';
import { findPackByKey } from './pack-store.ts';
import { rankingScore, trendScore } from './ranking-formulas.ts';
import { chunkSize, createRankingStore, type Generation, type Sort } from './ranking-store.ts';

/** The newest generation is looked up at most this often; a wake-up makes it sooner. */
const generationKeptMs = 1_000;
/** Chunks never change; 2,000 of 1,024 ids as strings are about 100 MB at most, typically a few. */
const chunksKept = 2_000;

export type PackSignals = { rankingScore: number; trendScore: number };
/** A published generation, or the tables as they are. */
export type Source = 'snapshot' | 'live';
export type LocatedPage = {
  source: Source;
  generation: Generation | null;
  /** What ages are counted to; null while nothing is ranked. */
  at: Date | null;
  ids: string[];
  position: number;
  next: Cursor | null;
};
export type RankedPage = Pick<LocatedPage, 'source' | 'generation' | 'at'> & {
  packs: (PackView & { signals: PackSignals })[];
  nextCursor: string | null;
};

export function createCatalogueReader(deps: { database: Database }, options: { ageDecayDays: number }) {
  const { knex } = deps.database;
  const store = createRankingStore(deps.database);
  const live = createLiveRanking(store, options);
  const chunks = new LRUCache<string, string[]>({ max: chunksKept });
  let current: { at: number; value: Promise<Generation | null> } | undefined;

  /** Ranking and trend as of the generation, not of now: nothing in an answer changes with the clock alone. */
  function signalsOf(view: PackView, at: Date): PackSignals {
    return {
      trendScore: trendScore(view.opens, at),
      rankingScore: rankingScore(
        {
          packScore: view.score?.packScore ?? 0,
          cohesionScore: view.score?.cohesionScore ?? 0,
          updatedAt: view.pack.updatedAt,
          opens: view.opens,
        },
        at,
        options.ageDecayDays,
      ),
    };
  }

  async function chunkIds(generation: number, sort: Sort, chunk: number): Promise<string[]> {
    const key = `${generation}:${sort}:${chunk}`;
    const known = chunks.get(key);
    if (known) return known;
    const ids = await store.chunk(generation, sort, chunk);
    chunks.set(key, ids);
    return ids;
  }

  function currentGeneration(): Promise<Generation | null> {
    if (!current || performance.now() - current.at > generationKeptMs) {
      const value = store.current();
      current = { at: performance.now(), value };
      value.catch(() => (current = undefined));
    }
    return current.value;
  }

  async function locateInGeneration(sort: Sort, limit: number, cursor: SnapshotCursor | null): Promise<LocatedPage> {
    const newest = await currentGeneration();
    const generation =
      cursor && cursor.generation !== newest?.generation ? await store.find(cursor.generation) : newest;
    if (cursor && !generation) {
      throw new AppError(
        'snapshot-expired',
        'The ranking that this cursor belongs to is no longer kept: start again without a cursor.',
      );
    }
    if (!generation) return { source: 'snapshot', generation: null, at: null, ids: [], position: 0, next: null };
    const position = Math.min(cursor?.position ?? 0, generation.packCount);
    const end = Math.min(position + limit, generation.packCount);
    const ids: string[] = [];
    for (let chunk = Math.floor(position / chunkSize); chunk * chunkSize < end; chunk += 1) {
      const start = chunk * chunkSize;
      const all = await chunkIds(generation.generation, sort, chunk);
      ids.push(...all.slice(Math.max(0, position - start), end - start));
    }
    const next: Cursor | null =
      end < generation.packCount
        ? { source: 'snapshot', generation: generation.generation, sort, position: end }
        : null;
    return { source: 'snapshot', generation, at: generation.refreshedAt, ids, position, next };
  }

  return {
    currentGeneration,
    forgetCurrentGeneration() {
      current = undefined;
    },

    /**
     * Where a page starts and which packs are on it; no pack is read yet. A cursor keeps its first page's source.
     * @throws AppError `invalid-cursor`, `snapshot-expired`
     */
    async locatePage(sort: Sort, limit: number, cursorText: string | undefined, source: Source): Promise<LocatedPage> {
      const cursor = cursorText === undefined ? null : parseCursor(cursorText, sort);
      if ((cursor?.source ?? source) === 'live')
        return locateLive(await live.current(), sort, limit, cursor as LiveCursor | null);
      return locateInGeneration(sort, limit, cursor as SnapshotCursor | null);
    },

    /** The packs of a located page that may be seen now, in its order. */
    async readPage(located: LocatedPage): Promise<RankedPage> {
      const { source, generation, at, ids, next } = located;
      const views = new Map((await readPackViews(knex, ids)).map((view) => [view.pack.id, view]));
      const packs = ids
        .map((id) => views.get(id))
        .filter((view) => view !== undefined)
        .filter((view) => view.pack.visibility === 'public' && isReachable(view.pack))
        .map((view) => ({ ...view, signals: signalsOf(view, at ?? view.pack.updatedAt) }));
      return { source, packs, generation, at, nextCursor: next === null ? null : formatCursor(next) };
    },

    /** A pack as a change left it, with the signals that it has in the current ranking. */
    async withSignals(view: PackView): Promise<PackView & { signals: PackSignals }> {
      const generation = await currentGeneration().catch(() => null);
      return { ...view, signals: signalsOf(view, generation?.refreshedAt ?? view.pack.updatedAt) };
    },

    /** Equal as long as an answer made of these packs holds. */
    stamps: (ids: string[]) => readPackStamps(knex, ids),

    /**
     * One pack with its stickers: all of them for its owner, the ready ones for everybody else.
     * @throws AppError `pack-not-found` also when the asker may not see it
     */
    async readPack(
      packKey: string,
      actor: Actor | null,
      source: Source = 'snapshot',
    ): Promise<{ view: PackView & { signals: PackSignals }; stickers: StickerView[]; isOwn: boolean }> {
      const pack = await findPackByKey(knex, packKey);
      const isOwn = pack !== null && actor !== null && (actor.isAdmin || actor.ownerId === pack.ownerId);
      const [view] = pack === null || (!isOwn && !isReachable(pack)) ? [] : await readPackViews(knex, [pack.id]);
      if (!view) throw new AppError('pack-not-found', `There is no pack "${packKey}".`);
      const stickers = await readStickers(knex, view.pack.id);
      const generation = source === 'live' ? null : await currentGeneration();
      return {
        view: { ...view, signals: signalsOf(view, generation?.refreshedAt ?? newestChange(view)) },
        stickers: isOwn ? stickers : stickers.filter((sticker) => sticker.status === 'ready'),
        isOwn,
      };
    },

    /** @throws AppError `sticker-not-found` also when the asker may not see it */
    async findFile(
      packKey: string,
      stickerId: string,
      variant: 'sticker' | 'preview',
      actor: Actor | null,
    ): Promise<{ sha256: string; sizeBytes: number; isPublic: boolean }> {
      const file = await findServedFile(knex, packKey, stickerId, variant);
      const isOwn = file !== null && actor !== null && (actor.isAdmin || actor.ownerId === file.ownerId);
      if (!file || (!file.isReachable && !isOwn))
        throw new AppError('sticker-not-found', `There is no sticker "${stickerId}" in pack "${packKey}".`);
      return { sha256: file.sha256, sizeBytes: file.sizeBytes, isPublic: file.isReachable };
    },
  };
}

function locateLive(order: LiveOrder, sort: Sort, limit: number, cursor: LiveCursor | null): LocatedPage {
  const all = order.ids[sort];
  const position = cursor === null ? 0 : positionAfter(order, sort, cursor);
  const ids = all.slice(position, position + limit);
  const end = position + ids.length;
  const lastId = ids.at(-1);
  const next: Cursor | null =
    end < all.length && lastId !== undefined
      ? { source: 'live', sort, position: end, last: { updatedAtMs: order.updatedAtMs.get(lastId) ?? 0, id: lastId } }
      : null;
  return { source: 'live', generation: null, at: all.length === 0 ? null : order.at, ids, position, next };
}

function newestChange(view: PackView): Date {
  return new Date(Math.max(view.pack.updatedAt.getTime(), view.opens.at.getTime()));
}

export type CatalogueReader = ReturnType<typeof createCatalogueReader>;
