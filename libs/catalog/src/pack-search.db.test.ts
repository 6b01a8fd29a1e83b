import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectDatabase, migrateUp, type Database } from '@omnizap/runtime';
import { createTestDatabase, testDatabaseKinds, type TestDatabase } from '@omnizap/testkit';
import { addPack, randomNumbers } from '../test/builders.ts';
import { createPackSearch } from './pack-search.ts';
import { readTerms, termsWithPrefix, writeTerms } from './search-store.ts';
import { termsOfPack } from './search-terms.ts';

/** Enough that a word in every second pack is common. */
const packCount = 5_000;

describe.each(testDatabaseKinds())('the search on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;
  /** What each pack is called: the answer to every query can be had by reading all of them. */
  const names = new Map<string, string>();

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl);
    await migrateUp(database);
    await insertPacks();
  }, 120_000);
  afterAll(async () => {
    await database.close();
    await test.drop();
  });

  async function insertPacks(): Promise<void> {
    const next = randomNumbers(3);
    const packs = Array.from({ length: packCount }, (_, number) => {
      const words = [
        'pacote',
        next() < 0.5 ? 'engraçado' : 'sério',
        next() < 0.5 ? 'azul' : 'verde',
        `número${number % 100}`,
      ];
      if (number % 1_000 === 1) words.push('❤️', 'Ünïque');
      if (number % 500 === 2) words.push('🐱');
      return { id: `00000000-0000-7000-8000-${String(number).padStart(12, '0')}`, name: words.join(' ') };
    });
    for (const { id, name } of packs) names.set(id, name);
    await database.knex.batchInsert(
      'sticker_pack',
      packs.map(({ id, name }, number) => ({
        ...{ id, name, pack_key: `pack-${number}`, owner_id: 'owner', publisher: 'Somebody', tags: '[]' },
      })),
      500,
    );
    const terms = packs.flatMap(({ id, name }) =>
      termsOfPack({ name, publisher: '', tags: [], labels: [], emojis: [] }).map((term) => ({
        pack_id: id,
        term: Buffer.from(term),
      })),
    );
    await database.knex.batchInsert('sticker_pack_term', terms, 1_000);
  }

  /** All packs that the search finds, whichever way it takes. */
  async function find(query: string): Promise<string[]> {
    const matches = await createPackSearch({ database }).find(query);
    if (matches === null) return [];
    if (matches.kind === 'few') return matches.packIds.toSorted();
    const found: string[] = [];
    const all = [...names.keys()];
    for (let start = 0; start < all.length; start += 500)
      found.push(...(await matches.among(all.slice(start, start + 500))));
    return found.toSorted();
  }

  const named = (...patterns: RegExp[]): string[] =>
    [...names].filter(([, name]) => patterns.every((pattern) => pattern.test(name))).map(([id]) => id);

  it.each([
    ['a rare word', 'ünïque', [/Ünïque/]],
    ['a rare word without its accents', 'unique', [/Ünïque/]],
    ['the beginning of a word', 'uniq', [/Ünïque/]],
    ['an emoji', '❤', [/❤/]],
    ['an emoji, not any other', '🐱', [/🐱/]],
    ['a word of another language for an emoji', 'gato', [/🐱/]],
    ['a common word', 'engracado', [/engraçado/]],
    ['two common words', 'engracado azul', [/engraçado/, /azul/]],
    ['common words that exclude each other', 'azul verde', [/azul/, /verde/]],
    ['two words that most packs have', 'pacote azul', [/azul/]],
    ['a common word with a rare one', 'azul unique', [/azul/, /Ünïque/]],
    ['a word of one pack in a hundred', 'numero42', [/número42\b/]],
    ['words around a binding one', 'azul de unique', [/azul/, /Ünïque/]],
    ['a word that no pack has', 'xyzzy', [/xyzzy/]],
  ])('finds exactly the packs with %s', async (_title, query, patterns) => {
    expect(await find(query)).toEqual(named(...patterns));
  });

  it('takes nothing of a pattern for a wildcard', async () => {
    expect(await find('%')).toEqual([]);
    expect(await find('_____')).toEqual([]);
    expect(await find('un%que')).toEqual([]);
  });

  it('lists what begins with a word one by one, in the order of its bytes', async () => {
    expect(await termsWithPrefix(database.knex, 'numero1', 4)).toEqual([
      ...['numero1', 'numero10', 'numero11', 'numero12'],
    ]);
    expect(await termsWithPrefix(database.knex, 'numero9', 50)).toHaveLength(11);
    expect(await termsWithPrefix(database.knex, 'zzz', 4)).toEqual([]);
  });

  it('writes only what differs, and takes a pack out again', async () => {
    const { id } = await addPack(database);
    const write = (terms: string[]): Promise<boolean> => database.transaction((trx) => writeTerms(trx, id, terms));

    expect(await write(['a', '❤', '💔'])).toBe(true);
    expect(await write(['a', '❤', '💔'])).toBe(false);
    expect(await write(['a', 'b', '💔'])).toBe(true);
    expect(await readTerms(database.knex, id)).toEqual(['a', 'b', '💔'].sort());
    expect(await write([])).toBe(true);
    expect(await readTerms(database.knex, id)).toEqual([]);
  });
});
