/** SQL on the terms of packs. Terms are bytes to the database, so that a prefix is a range on either. */
import type { Knex } from 'knex';
import type { Transaction } from '@omnizap/runtime';

type TermRow = { pack_id: string; term: Buffer };

const bytesOf = (term: string): Buffer => Buffer.from(term, 'utf8');
const termOf = (bytes: Buffer): string => bytes.toString('utf8');

export async function readTerms(db: Knex, packId: string): Promise<string[]> {
  const terms = await db('sticker_pack_term').where({ pack_id: packId }).pluck<Buffer[]>('term');
  return terms.map(termOf).sort();
}

/** Makes the pack's terms `terms`; writes only what differs. True when anything did. The pack's row must be locked. */
export async function writeTerms(trx: Transaction, packId: string, terms: string[]): Promise<boolean> {
  const before = new Set(await readTerms(trx, packId));
  const after = new Set(terms);
  const gone = [...before].filter((term) => !after.has(term));
  const added = [...after].filter((term) => !before.has(term));
  if (gone.length > 0)
    await trx('sticker_pack_term').where({ pack_id: packId }).whereIn('term', gone.map(bytesOf)).delete();
  if (added.length > 0)
    await trx('sticker_pack_term').insert(added.map((term) => ({ pack_id: packId, term: bytesOf(term) })));
  return gone.length + added.length > 0;
}

/** Rows that are read to find the next terms: a rare term has few, of a common one the others are skipped. */
const rowsPerStep = 100;

/**
 * Distinct terms that begin with `prefix`, the first `limit`: steps along `sticker_pack_term_term_idx`, at most one for each term,
 * however many packs have it. Not a recursive query: MariaDB reads the whole index for each of its steps.
 */
export async function termsWithPrefix(db: Knex, prefix: string, limit: number): Promise<string[]> {
  const low = bytesOf(prefix);
  // UTF-8 has no byte 0xff: the next prefix of the same length is one more in the last byte.
  const high = Buffer.from(low);
  high[high.length - 1] = (high[high.length - 1] ?? 0) + 1;
  const found = new Set<string>();
  for (let last: Buffer | null = null; found.size < limit;) {
    const rows: Buffer[] = await db('sticker_pack_term')
      .where('term', last === null ? '>=' : '>', last ?? low)
      .andWhere('term', '<', high)
      .orderBy('term')
      .limit(rowsPerStep)
      .pluck<Buffer[]>('term');
    for (const row of rows) found.add(termOf(row));
    if (rows.length < rowsPerStep) break;
    last = rows.at(-1) ?? null;
  }
  return [...found].slice(0, limit);
}

/** Packs with at least one of the terms; one row for each term that a pack has, at most `limit` rows. */
export async function packsWithTerms(db: Knex, terms: string[], limit: number): Promise<string[]> {
  return db('sticker_pack_term').whereIn('term', terms.map(bytesOf)).limit(limit).pluck<string[]>('pack_id');
}

/** Rows of these terms, counted up to `limit`. */
export async function countWithTerms(db: Knex, terms: string[], limit: number): Promise<number> {
  const some = db('sticker_pack_term').whereIn('term', terms.map(bytesOf)).limit(limit).select('pack_id');
  const rows = await db.from(some.as('some')).count<{ count: number }[]>({ count: '*' });
  return rows[0]?.count ?? 0;
}

/**
 * Packs with at least one term of each set, at most `limit`. The rows of the first set are gone through along
 * `sticker_pack_term_term_idx`, and each pack of them is looked up for the others by primary key: the first set should be the rarest.
 */
export async function packsWithAllTerms(db: Knex, sets: string[][], limit: number): Promise<string[]> {
  const [first = [], ...others] = sets;
  const query = db('sticker_pack_term as t')
    .whereIn('t.term', first.map(bytesOf))
    .limit(limit)
    .distinct<{ pack_id: string }[]>('t.pack_id');
  for (const [index, terms] of others.entries()) {
    const other = `o${index}`;
    void query.whereExists(
      db(`sticker_pack_term as ${other}`)
        .whereRaw(`${other}.pack_id = t.pack_id`)
        .whereIn(`${other}.term`, terms.map(bytesOf))
        .select(db.raw('1')),
    );
  }
  return (await query).map(({ pack_id }) => pack_id);
}

/** Which of the terms each of the packs has; packs without any are missing. */
export async function termsAmong(db: Knex, packIds: string[], terms: string[]): Promise<Map<string, Set<string>>> {
  if (packIds.length === 0 || terms.length === 0) return new Map();
  const rows: TermRow[] = await db('sticker_pack_term')
    .whereIn('pack_id', packIds)
    .whereIn('term', terms.map(bytesOf))
    .select<TermRow[]>('pack_id', 'term');
  const found = new Map<string, Set<string>>();
  for (const { pack_id, term } of rows) {
    const known = found.get(pack_id);
    if (known) known.add(termOf(term));
    else found.set(pack_id, new Set([termOf(term)]));
  }
  return found;
}
