/**
 * Which packs a query finds. A rare word is answered by its list of packs; when every word of a query is common, a list would be
 * long and mostly thrown away, so the ranking is walked instead and each stretch of it is asked for its terms. Either way the work
 * is bounded whatever the catalogue's size.
 */
import { LRUCache } from 'lru-cache';
import type { Database } from '@omnizap/runtime';
import { parseQuery, type SoughtWord } from './search-terms.ts';
import { packsWithTerms, termsAmong, termsWithPrefix } from './search-store.ts';

/** A word with more rows than this is common. Reading so many takes a few milliseconds. */
const maxListedRows = 2_000;
const maxTermsPerPrefix = 16;
/** MariaDB turns lists of 1,000 and more into a join. */
const packsPerQuestion = 500;
/** How common a word is, and what begins with it, changes slowly; a new word is found this late at most. */
const wordKeptMs = 10_000;
const wordsKept = 2_000;

export type PackMatches =
  /** These and no others. */
  | { kind: 'few'; packIds: string[] }
  /** Too many to list: ask which of some match. */
  | { kind: 'many'; among: (packIds: string[]) => Promise<Set<string>> };

type Word = { terms: string[]; isCommon: boolean };

export function createPackSearch(deps: { database: Database }) {
  const { knex } = deps.database;
  const words = new LRUCache<string, Promise<Word>>({ max: wordsKept, ttl: wordKeptMs });

  async function look(sought: SoughtWord): Promise<Word> {
    const begun = sought.prefix === null ? [] : await termsWithPrefix(knex, sought.prefix, maxTermsPerPrefix);
    const terms = [...new Set([...sought.terms, ...begun])];
    return { terms, isCommon: (await packsWithTerms(knex, terms, maxListedRows + 1)).length > maxListedRows };
  }

  function wordOf(sought: SoughtWord): Promise<Word> {
    const key = sought.terms[0] ?? '';
    const known = words.get(key);
    if (known) return known;
    const found = look(sought);
    words.set(key, found);
    found.catch(() => words.delete(key));
    return found;
  }

  return {
    /** Null when the query says nothing that could be looked for: then it finds nothing. */
    async find(query: string): Promise<PackMatches | null> {
      const sought = parseQuery(query);
      if (sought.length === 0) return null;
      const all = await Promise.all(sought.map(wordOf));
      const rare = all.find((word) => !word.isCommon);
      if (!rare) return { kind: 'many', among: (packIds) => matchAll(knex, packIds, all) };
      const listed = [...new Set(await packsWithTerms(knex, rare.terms, maxListedRows + 1))];
      const others = all.filter((word) => word !== rare);
      if (others.length === 0) return { kind: 'few', packIds: listed };
      const matching: string[] = [];
      for (let start = 0; start < listed.length; start += packsPerQuestion)
        matching.push(...(await matchAll(knex, listed.slice(start, start + packsPerQuestion), others)));
      return { kind: 'few', packIds: matching };
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
