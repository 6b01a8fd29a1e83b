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
import { formatCursor, parseCursor } from './cursor.ts';
import { findPackByKey } from './pack-store.ts';
import { rankingScore, trendScore } from './ranking-formulas.ts';
import { chunkSize, createRankingStore, type Generation, type Sort } from './ranking-store.ts';

/** The newest generation is looked up at most this often; a wake-up makes it sooner. */
const generationKeptMs = 1_000;
/** Chunks never change; 2,000 of 1,024 ids as strings are about 100 MB at most, typically a few. */
const chunksKept = 2_000;

export type PackSignals = { rankingScore: number; trendScore: number };
export type RankedPage = {
  packs: (PackView & { signals: PackSignals })[];
  generation: Generation | null;
  nextCursor: string | null;
};

export function createCatalogueReader(deps: { database: Database }, options: { ageDecayDays: number }) {
  const { knex } = deps.database;
  const store = createRankingStore(deps.database);
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

  return {
    currentGeneration,
    forgetCurrentGeneration() {
      current = undefined;
    },

    /**
     * Where a page starts and which packs are on it; no pack is read yet.
     * @throws AppError `invalid-cursor`, `snapshot-expired`
     */
    async locatePage(
      sort: Sort,
      limit: number,
      cursorText: string | undefined,
    ): Promise<{ generation: Generation | null; ids: string[]; position: number }> {
      const cursor = cursorText === undefined ? null : parseCursor(cursorText, sort);
      const newest = await currentGeneration();
      const generation =
        cursor && cursor.generation !== newest?.generation ? await store.find(cursor.generation) : newest;
      if (cursor && !generation) {
        throw new AppError(
          'snapshot-expired',
          'The ranking that this cursor belongs to is no longer kept: start again without a cursor.',
        );
      }
      if (!generation) return { generation: null, ids: [], position: 0 };
      const position = Math.min(cursor?.position ?? 0, generation.packCount);
      const end = Math.min(position + limit, generation.packCount);
      const ids: string[] = [];
      for (let chunk = Math.floor(position / chunkSize); chunk * chunkSize < end; chunk += 1) {
        const start = chunk * chunkSize;
        const all = await chunkIds(generation.generation, sort, chunk);
        ids.push(...all.slice(Math.max(0, position - start), end - start));
      }
      return { generation, ids, position };
    },

    /** The packs of a located page that may be seen now, in its order. */
    async readPage(
      sort: Sort,
      limit: number,
      located: { generation: Generation | null; ids: string[]; position: number },
    ): Promise<RankedPage> {
      const { generation, ids, position } = located;
      const views = new Map((await readPackViews(knex, ids)).map((view) => [view.pack.id, view]));
      const packs = ids
        .map((id) => views.get(id))
        .filter((view) => view !== undefined)
        .filter((view) => view.pack.visibility === 'public' && isReachable(view.pack))
        .map((view) => ({ ...view, signals: signalsOf(view, generation?.refreshedAt ?? view.pack.updatedAt) }));
      const next = position + limit;
      const hasMore = generation !== null && next < generation.packCount;
      return {
        packs,
        generation,
        nextCursor: hasMore ? formatCursor({ generation: generation.generation, sort, position: next }) : null,
      };
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
    ): Promise<{ view: PackView & { signals: PackSignals }; stickers: StickerView[]; isOwn: boolean }> {
      const pack = await findPackByKey(knex, packKey);
      const isOwn = pack !== null && actor !== null && (actor.isAdmin || actor.ownerId === pack.ownerId);
      const [view] = pack === null || (!isOwn && !isReachable(pack)) ? [] : await readPackViews(knex, [pack.id]);
      if (!view) throw new AppError('pack-not-found', `There is no pack "${packKey}".`);
      const stickers = await readStickers(knex, view.pack.id);
      const generation = await currentGeneration();
      return {
        view: { ...view, signals: signalsOf(view, generation?.refreshedAt ?? view.pack.updatedAt) },
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

export type CatalogueReader = ReturnType<typeof createCatalogueReader>;
