/** Reads for clients: ranked pages from a published generation, one pack in full, the bytes of one sticker. */
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { AppError, type Database } from '@omnizap/runtime';
import { findActiveBan } from './ban-store.ts';
import type { Actor } from './packs.ts';
import { isReachable } from './packs.ts';
import {
  findPackView,
  findServedFile,
  readPackStamps,
  readPackViews,
  readStickersByKey,
  type PackView,
  type ServedFile,
  type StickerView,
} from './catalogue-store.ts';
import { formatCursor, parseCursor, type Cursor, type LiveCursor, type SnapshotCursor } from './cursor.ts';
import { createLiveRanking, positionAfter } from './live-ranking.ts';
import { createPackSearch } from './pack-search.ts';
import { rankingScore, trendScore } from './ranking-formulas.ts';
import {
  createAcceptance,
  decodeIndex,
  packIdAt,
  type ListFilter,
  type RankingIndex,
  type Sort,
} from './ranking-index.ts';
import { createRankingStore, type Generation } from './ranking-store.ts';
import { createSharedReads } from './shared-reads.ts';
import { walkRanking, type Walk } from './walk-ranking.ts';

/** The newest generation is looked up at most this often; a wake-up makes it sooner. */
const generationKeptMs = 1_000;
/** Generations that somebody walks; 7 MB each at 100,000 packs. */
const indexesKept = 8;

/** Where the page of a query is: asking for the terms of many packs costs ten times as much as all else, and is repeated. */
const walkKeptMs = 10_000;
const walksKept = 1_000;

export type PackSignals = { rankingScore: number; trendScore: number };
/** A published generation, or the tables as they are. */
export type Source = 'snapshot' | 'live';
export type ListFilters = ListFilter & { query: string | undefined };
export type ListRequest = {
  sort: Sort;
  limit: number;
  cursor?: string | undefined;
  source: Source;
  filters: ListFilters;
};
export type LocatedPage = {
  source: Source;
  generation: Generation | null;
  /** What ages are counted to; null while nothing is ranked. */
  at: Date | null;
  ids: string[];
  /** Which page of which list it is, apart from sort and limit. */
  place: string;
  /** A query took part, and finds what there is now. */
  isSearched: boolean;
  /** Equal for two requests with the same filters, however written. */
  filterDigest: string;
  next: Cursor | null;
};
export type RankedPage = Pick<LocatedPage, 'source' | 'generation' | 'at'> & {
  packs: (PackView & { signals: PackSignals })[];
  nextCursor: string | null;
};
/** What a request is answered from; no index while nothing was ever published. */
export type ListRanking = {
  source: Source;
  generation: Generation | null;
  at: Date | null;
  index: RankingIndex | null;
};

export function createCatalogueReader(deps: { database: Database }, options: { ageDecayDays: number }) {
  const { knex } = deps.database;
  const store = createRankingStore(deps.database);
  const live = createLiveRanking(store, options);
  const search = createPackSearch(deps);
  const share = createSharedReads();
  const walks = new LRUCache<string, Promise<Walk>>({ max: walksKept, ttl: walkKeptMs });
  const indexes = new LRUCache<number, Promise<RankingIndex | null>>({ max: indexesKept });
  let current: { at: number; value: Promise<Generation | null> } | undefined;
  let loaded: Generation | undefined;

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

  /** Null for a generation that another release stored in another form. */
  function indexOf(generation: number): Promise<RankingIndex | null> {
    const known = indexes.get(generation);
    if (known) return known;
    const index = store.parts(generation).then(decodeIndex);
    indexes.set(generation, index);
    index.catch(() => indexes.delete(generation));
    return index;
  }

  function walkOnce(key: string, walk: () => Promise<Walk>): Promise<Walk> {
    const known = walks.get(key);
    if (known) return known;
    const walking = walk();
    walks.set(key, walking);
    walking.catch(() => walks.delete(key));
    return walking;
  }

  function currentGeneration(): Promise<Generation | null> {
    if (!current || performance.now() - current.at > generationKeptMs) {
      const value = store.current();
      current = { at: performance.now(), value };
      value.catch(() => (current = undefined));
    }
    return current.value;
  }

  /**
   * The newest generation whose index is here. A new one is fetched while requests go on with the one before: a large index must
   * not make anybody wait.
   */
  async function readableGeneration(): Promise<Generation | null> {
    const newest = await currentGeneration();
    if (newest === null || newest.generation === loaded?.generation) return newest;
    const arriving = indexOf(newest.generation).then(() => (loaded = newest));
    if (loaded === undefined) return arriving;
    arriving.catch(() => undefined);
    return loaded;
  }

  /** @throws AppError `snapshot-expired` */
  async function snapshotRanking(cursor: SnapshotCursor | null): Promise<ListRanking> {
    const newest = await readableGeneration();
    const generation =
      cursor && cursor.generation !== newest?.generation ? await store.find(cursor.generation) : newest;
    if (cursor && !generation) {
      throw new AppError(
        'snapshot-expired',
        'The ranking that this cursor belongs to is no longer kept: start again without a cursor.',
      );
    }
    if (!generation) return { source: 'snapshot', generation: null, at: null, index: null };
    const index = await indexOf(generation.generation);
    return index ? { source: 'snapshot', generation, at: generation.refreshedAt, index } : liveRanking();
  }

  async function liveRanking(): Promise<ListRanking> {
    const { at, index } = await live.current();
    return { source: 'live', generation: null, at: index.count === 0 ? null : at, index };
  }

  /** Those of the packs that everybody may see now, in the order given, with signals as of `at`. One query. */
  async function readPacks(ids: string[], at: Date | null): Promise<(PackView & { signals: PackSignals })[]> {
    const read = await share(`packs:${keyOf(ids)}`, (whenSent) => readPackViews(knex, ids, whenSent));
    const views = new Map(read.map((view) => [view.pack.id, view]));
    return ids
      .map((id) => views.get(id))
      .filter((view) => view !== undefined)
      .filter((view) => view.pack.visibility === 'public' && isReachable(view.pack))
      .map((view) => ({ ...view, signals: signalsOf(view, at ?? view.pack.updatedAt) }));
  }

  const readStamps = (ids: string[]): Promise<string> =>
    share(`stamps:${keyOf(ids)}`, (whenSent) => readPackStamps(knex, ids, whenSent));

  /** The owner of a ban hands out nothing any more, also not what the ban has not come to yet. */
  async function opensSigned(file: ServedFile): Promise<boolean> {
    return file.opensBySignature && (await findActiveBan(knex, { owner_id: file.ownerId })) === null;
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
    async locatePage(request: ListRequest): Promise<LocatedPage> {
      const { sort, limit, filters } = request;
      const filterDigest = digestOf(filters);
      const cursor = request.cursor === undefined ? null : parseCursor(request.cursor, { sort, filterDigest });
      const { source, generation, at, index } =
        (cursor?.source ?? request.source) === 'live'
          ? await liveRanking()
          : await snapshotRanking(cursor as SnapshotCursor | null);
      const placeOf = (position: number): string =>
        `${source}:${generation?.generation ?? 0}:${filterDigest}:${position}`;
      const common = { source, generation, at, filterDigest, isSearched: filters.query !== undefined };
      const empty = { ...common, ids: [], place: placeOf(0), next: null };
      if (!index) return empty;
      const matches = filters.query === undefined ? null : await search.find(filters.query);
      if (filters.query !== undefined && matches === null) return empty;
      const position =
        cursor?.source === 'live' && source === 'live'
          ? positionAfter(index, sort, cursor)
          : Math.min(cursor?.position ?? 0, index.count);
      const accepts = createAcceptance(index, filters);
      const walk = (): Promise<Walk> => walkRanking(index, { sort, position, limit, accepts, matches });
      const { packIds, nextPosition } =
        matches?.kind === 'many' && generation !== null
          ? await walkOnce(`${generation.generation}:${sort}:${filterDigest}:${limit}:${position}`, walk)
          : await walk();
      const next = nextPosition === null ? null : cursorAt(nextPosition, { sort, filterDigest }, generation, index);
      return { ...common, ids: packIds, place: placeOf(position), next };
    },

    /** The whole ranking that a request without a cursor is answered from. */
    ranking: (source: Source): Promise<ListRanking> => (source === 'live' ? liveRanking() : snapshotRanking(null)),

    readPacks,

    /** The packs of a located page that may be seen now, in its order. */
    async readPage(located: LocatedPage): Promise<RankedPage> {
      const { source, generation, at, ids, next } = located;
      const packs = await readPacks(ids, at);
      return { source, packs, generation, at, nextCursor: next === null ? null : formatCursor(next) };
    },

    /** A pack as a change left it, with the signals that it has in the current ranking. */
    async withSignals(view: PackView): Promise<PackView & { signals: PackSignals }> {
      const generation = await currentGeneration().catch(() => null);
      return { ...view, signals: signalsOf(view, generation?.refreshedAt ?? view.pack.updatedAt) };
    },

    /** Equal as long as an answer made of this page holds. */
    async stampOf({ source, at, ids, next, isSearched }: LocatedPage): Promise<string> {
      const stamp = await readStamps(ids);
      // A generation never changes; of a live list, its date and its order do, and what a query finds does anywhere.
      const isFixed = source === 'snapshot' && !isSearched;
      return isFixed ? stamp : `${stamp}:${at?.getTime() ?? 0}:${ids.join()}:${next?.position ?? ''}`;
    },

    /** Equal as long as an answer made of these packs holds. */
    stamps: readStamps,

    /**
     * One pack with its stickers: all of them for its owner, the ready ones for everybody else.
     * @throws AppError `pack-not-found` also when the asker may not see it
     */
    async readPack(
      packKey: string,
      actor: Actor | null,
      source: Source = 'snapshot',
    ): Promise<{ view: PackView & { signals: PackSignals }; stickers: StickerView[]; isOwn: boolean }> {
      // All at once: where many wait for a connection, each question that waits for another one waits in line again.
      const [view, stickers, generation] = await Promise.all([
        share(`pack:${packKey}`, (whenSent) => findPackView(knex, packKey, whenSent)),
        share(`stickers:${packKey}`, (whenSent) => readStickersByKey(knex, packKey, whenSent)),
        source === 'live' ? null : currentGeneration(),
      ]);
      const isOwn = view !== null && actor !== null && (actor.isAdmin || actor.ownerId === view.pack.ownerId);
      if (!view || !(isOwn || isReachable(view.pack)))
        throw new AppError('pack-not-found', `There is no pack "${packKey}".`);
      return {
        view: { ...view, signals: signalsOf(view, generation?.refreshedAt ?? newestChange(view)) },
        stickers: isOwn ? stickers : stickers.filter(isShown),
        isOwn,
      };
    },

    /**
     * `isSigned`: asked for by an address that an owner was given and that holds.
     * @throws AppError `sticker-not-found` also when the asker may not see it
     */
    async findFile(
      packKey: string,
      stickerId: string,
      variant: 'sticker' | 'preview',
      actor: Actor | null,
      { isSigned = false } = {},
    ): Promise<{ sha256: string; sizeBytes: number; isPublic: boolean; isInBucket: boolean }> {
      const file = await share(`file:${packKey}/${stickerId}/${variant}`, (whenSent) =>
        findServedFile(knex, packKey, stickerId, variant, whenSent),
      );
      const isOwn = file !== null && actor !== null && (actor.isAdmin || actor.ownerId === file.ownerId);
      if (!file || !(file.isReachable || isOwn || (isSigned && (await opensSigned(file)))))
        throw new AppError('sticker-not-found', `There is no sticker "${stickerId}" in pack "${packKey}".`);
      const { sha256, sizeBytes, isInBucket } = file;
      return { sha256, sizeBytes, isPublic: file.isReachable, isInBucket };
    },
  };
}

function cursorAt(
  position: number,
  scope: { sort: Sort; filterDigest: string },
  generation: Generation | null,
  index: RankingIndex,
): Cursor {
  if (generation) return { source: 'snapshot', generation: generation.generation, ...scope, position };
  const before = index.orders[scope.sort][position - 1] ?? 0;
  const last = { updatedAtMs: index.updatedAtMs[before] ?? 0, id: packIdAt(index, before) };
  return { source: 'live', ...scope, position, last } satisfies LiveCursor;
}

/** Whole where answers are kept by it: filters that look alike to a cursor may be found, and would share their answers. */
function digestOf({ query, categories, includeSensitive, isAnimated, creator }: ListFilters): string {
  const parts = [query ?? null, [...new Set(categories)].sort(), includeSensitive, isAnimated ?? null];
  // Only where it is given: cursors of the release before hold on.
  const text = JSON.stringify(creator === undefined ? parts : [...parts, creator.trim()]);
  return createHash('sha256').update(text).digest('base64url');
}

/** The same for the same packs in any order. */
const keyOf = (ids: string[]): string => ids.toSorted().join();

/** To everybody who may see its pack. */
function isShown(sticker: StickerView): boolean {
  return sticker.status === 'ready' && sticker.moderation === 'approved';
}

function newestChange(view: PackView): Date {
  return new Date(Math.max(view.pack.updatedAt.getTime(), view.opens.at.getTime()));
}

export type CatalogueReader = ReturnType<typeof createCatalogueReader>;
