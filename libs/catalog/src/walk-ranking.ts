/** One page of a ranking: a walk from a position on over the packs that pass a filter. */
import { packIdAt, ordinalOf, type RankingIndex, type Sort } from './ranking-index.ts';
import type { PackMatches } from './pack-search.ts';

/** Stretches of the walk that are asked for their terms; the first is small, for words that nearly every pack has. */
const firstStretch = 128;
const longestStretch = 500;
/**
 * A page of a query whose words are each common but hardly ever together ends after so many packs, and may be short: what follows
 * is behind its cursor. About 40 questions.
 */
const maxAskedPerPage = 20_000;

export type Walk = {
  packIds: string[];
  /** Where the next page begins; null when nothing that passes is behind this one. */
  nextPosition: number | null;
};

type WalkOptions = {
  sort: Sort;
  position: number;
  limit: number;
  accepts: (ordinal: number) => boolean;
  /** Null: no query. */
  matches: PackMatches | null;
};

export async function walkRanking(index: RankingIndex, options: WalkOptions): Promise<Walk> {
  const { matches } = options;
  if (matches === null) return walkFiltered(index, options);
  return matches.kind === 'few'
    ? walkListed(index, options, matches.packIds)
    : walkAsking(index, options, matches.among);
}

function walkFiltered(index: RankingIndex, { sort, position, limit, accepts }: WalkOptions): Walk {
  const order = index.orders[sort];
  const packIds: string[] = [];
  for (let place = position; place < order.length; place += 1) {
    const ordinal = order[place] ?? 0;
    if (!accepts(ordinal)) continue;
    if (packIds.length === limit) return { packIds, nextPosition: place };
    packIds.push(packIdAt(index, ordinal));
  }
  return { packIds, nextPosition: null };
}

function walkListed(index: RankingIndex, { sort, position, limit, accepts }: WalkOptions, listed: string[]): Walk {
  const places = placesOf(index, sort);
  const found = ordinalsOf(index, listed)
    .filter(accepts)
    .map((ordinal) => places[ordinal] ?? 0)
    .filter((place) => place >= position)
    .sort();
  const order = index.orders[sort];
  return {
    packIds: Array.from(found.subarray(0, limit), (place) => packIdAt(index, order[place] ?? 0)),
    nextPosition: found[limit] ?? null,
  };
}

async function walkAsking(
  index: RankingIndex,
  { sort, position, limit, accepts }: WalkOptions,
  among: (packIds: string[]) => Promise<Set<string>>,
): Promise<Walk> {
  const order = index.orders[sort];
  const packIds: string[] = [];
  let place = position;
  let asked = 0;
  for (let stretch = firstStretch; place < order.length; stretch = Math.min(longestStretch, 2 * stretch)) {
    if (asked >= maxAskedPerPage) return { packIds, nextPosition: place };
    const candidates: { place: number; packId: string }[] = [];
    for (; place < order.length && candidates.length < stretch; place += 1) {
      const ordinal = order[place] ?? 0;
      if (accepts(ordinal)) candidates.push({ place, packId: packIdAt(index, ordinal) });
    }
    asked += candidates.length;
    const matching = await among(candidates.map(({ packId }) => packId));
    for (const candidate of candidates) {
      if (!matching.has(candidate.packId)) continue;
      if (packIds.length === limit) return { packIds, nextPosition: candidate.place };
      packIds.push(candidate.packId);
    }
  }
  return { packIds, nextPosition: null };
}

/** By list and index: the ordinals of a list that is asked for again with each page. */
const ordinalsByList = new WeakMap<string[], { index: RankingIndex; ordinals: Uint32Array }>();

function ordinalsOf(index: RankingIndex, listed: string[]): Uint32Array {
  const known = ordinalsByList.get(listed);
  if (known?.index === index) return known.ordinals;
  const found = listed.map((packId) => ordinalOf(index, packId)).filter((ordinal) => ordinal !== undefined);
  const ordinals = new Uint32Array(new Set(found));
  ordinalsByList.set(listed, { index, ordinals });
  return ordinals;
}

/** By index and sort: the place of each ordinal; made when the first query needs it, and gone with the index. */
const placesByIndex = new WeakMap<RankingIndex, Map<Sort, Uint32Array>>();

function placesOf(index: RankingIndex, sort: Sort): Uint32Array {
  const known = placesByIndex.get(index)?.get(sort);
  if (known) return known;
  const places = new Uint32Array(index.count);
  for (const [place, ordinal] of index.orders[sort].entries()) places[ordinal] = place;
  const bySort = placesByIndex.get(index) ?? new Map<Sort, Uint32Array>();
  placesByIndex.set(index, bySort.set(sort, places));
  return places;
}
