/**
 * Which packs a query finds. A word that few packs have is answered by their list, and so are several words of which few packs
 * have all. Otherwise a list would be long and mostly thrown away: then the ranking is walked, and each stretch of it is asked for
 * its terms, which soon fills a page. Either way the work is bounded whatever the catalogue's size. Lists are kept for some
 * seconds, because who pages asks the same again and again.
 */
import { LRUCache } from 'lru-cache';
import type { Database } from '@omnizap/runtime';
import { parseQuery, type SoughtWord } from './search-terms.ts';
import { countWithTerms, packsWithAllTerms, packsWithTerms, termsAmong, termsWithPrefix } from './search-store.ts';

/** A list that is longer than this is not made. Reading so many rows takes a few milliseconds. */
const maxListedRows = 2_000;
/**
 * Of several common words, the rarest is gone through for the packs that have the others as well. One with more rows than this is
 * so common that walking the ranking finds a page sooner. Going through so many takes the database some ten milliseconds.
 */
const maxScannedRows = 20_000;
const maxTermsPerPrefix = 16;
/** How common a word is, and which packs have it, changes slowly; a change is found this late at most. */
const keptMs = 10_000;
/** All that is kept together, counted in packs of lists: about 13 MB. */
const maxKeptPacks = 200_000;

export type PackMatches =
  /** These and no others. The same array for the same list. */
  | { kind: 'few'; packIds: string[] }
  /** Too many to list: ask which of some match. */
  | { kind: 'many'; among: (packIds: string[]) => Promise<Set<string>> };

/** Null: too many to list. */
type Listed = string[] | null;
type Word = { terms: string[]; listed: Listed };

export function createPackSearch(deps: { database: Database }) {
  const { knex } = deps.database;
  const words = createKept<Word>(({ listed }) => listed?.length ?? 0);
  const combinations = createKept<{ listed: Listed }>(({ listed }) => listed?.length ?? 0);

  async function look(sought: SoughtWord): Promise<Word> {
    const begun = sought.prefix === null ? [] : await termsWithPrefix(knex, sought.prefix, maxTermsPerPrefix);
    const terms = [...new Set([...sought.terms, ...begun])];
    return { terms, listed: listOf(await packsWithTerms(knex, terms, maxListedRows + 1)) };
  }

  async function combine(all: Word[]): Promise<{ listed: Listed }> {
    const counts = await Promise.all(
      all.map(async ({ terms, listed }) => listed?.length ?? (await countWithTerms(knex, terms, maxScannedRows + 1))),
    );
    const fewest = Math.min(...counts);
    if (fewest > maxScannedRows) return { listed: null };
    const rarest = counts.indexOf(fewest);
    const others = all.filter((_, index) => index !== rarest).map(({ terms }) => terms);
    const packIds = await packsWithAllTerms(knex, [all[rarest]?.terms ?? [], ...others], maxListedRows + 1);
    return { listed: listOf(packIds) };
  }

  return {
    /** Null when the query says nothing that could be looked for: then it finds nothing. */
    async find(query: string): Promise<PackMatches | null> {
      const sought = parseQuery(query);
      if (sought.length === 0) return null;
      const keys = sought.map(({ terms }) => terms[0] ?? '');
      const all = await Promise.all(sought.map((word, index) => words.get(keys[index] ?? '', () => look(word))));
      const [first] = all;
      const { listed } =
        all.length === 1 && first ? first : await combinations.get(JSON.stringify(keys.toSorted()), () => combine(all));
      return listed === null
        ? { kind: 'many', among: (packIds) => matchAll(knex, packIds, all) }
        : { kind: 'few', packIds: listed };
    },
  };
}

function listOf(packIds: string[]): Listed {
  return packIds.length > maxListedRows ? null : [...new Set(packIds)];
}

/** What was looked up, for `keptMs`; of those who ask at the same time one looks. */
function createKept<Value extends object>(packsOf: (value: Value) => number) {
  const kept = new LRUCache<string, Promise<Value>>({ maxSize: maxKeptPacks, ttl: keptMs });
  return {
    get(key: string, look: () => Promise<Value>): Promise<Value> {
      const known = kept.get(key);
      if (known) return known;
      const found = look();
      kept.set(key, found, { size: 1 });
      found.then(
        (value) => {
          if (kept.peek(key) === found) kept.set(key, found, { size: 1 + packsOf(value) });
        },
        () => kept.delete(key),
      );
      return found;
    },
  };
}

/** Those of the packs that have a term of every word. */
async function matchAll(db: Database['knex'], packIds: string[], words: Word[]): Promise<Set<string>> {
  const terms = [...new Set(words.flatMap((word) => word.terms))];
  const found = await termsAmong(db, packIds, terms);
  return new Set(
    [...found].filter(([, has]) => words.every((word) => word.terms.some((term) => has.has(term)))).map(([id]) => id),
  );
}
