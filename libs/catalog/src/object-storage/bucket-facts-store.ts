/** SQL of what the doctor wants to know of the bucket: from the ends of the tables, so that millions of rows cost no more than a few. */
import type { Knex } from 'knex';
import { sqlNowPlus, sqlSecondsSince, type Database } from '@omnizap/runtime';
import type { BlobKind } from '@omnizap/storage';

/** Of the oldest stickers and of the newest. */
const lookedAtEachEnd = 500;
/** A removal takes seconds; one that a process left behind is done again by the next. */
const stuckMs = 3_600_000;

export type BucketFacts = {
  /** Files that are shown, of those looked at. */
  looked: number;
  /** How many of them the bucket is known to have. */
  verified: number;
  /** The smallest of them, to be read; null without any. */
  sample: { kind: BlobKind; sha256: string; sizeBytes: number } | null;
  /** Objects whose removal has begun an hour ago or longer. */
  stuck: { count: number; longestSeconds: number };
};

type ShownRow = { variant: 'sticker' | 'preview'; sha256: string; size_bytes: number; object_verified_at: Date | null };

export async function readBucketFacts({ knex, kind }: Pick<Database, 'knex' | 'kind'>): Promise<BucketFacts> {
  const [oldest, newest, stuck] = await Promise.all([
    shownFiles(knex, 'asc'),
    shownFiles(knex, 'desc'),
    knex('stored_object')
      .where('removing_since', '<', knex.raw(sqlNowPlus(kind, -stuckMs)))
      .first<{ count: number; longest: number | null }>(
        knex.raw('COUNT(*) AS count'),
        knex.raw(`MAX(${sqlSecondsSince(kind, 'removing_since')}) AS longest`),
      ),
  ]);
  const files = new Map([...oldest, ...newest].map((row) => [`${row.variant}:${row.sha256}`, row]));
  const verified = [...files.values()].filter((row) => row.object_verified_at !== null);
  const [smallest] = verified.toSorted((a, b) => Number(a.size_bytes) - Number(b.size_bytes));
  return {
    looked: files.size,
    verified: verified.length,
    sample: smallest
      ? { kind: smallest.variant, sha256: smallest.sha256, sizeBytes: Number(smallest.size_bytes) }
      : null,
    stuck: { count: Number(stuck.count), longestSeconds: Number(stuck.longest ?? 0) },
  };
}

/** By the age of their stickers. */
async function shownFiles(db: Knex, order: 'asc' | 'desc'): Promise<ShownRow[]> {
  return db('sticker_asset_derivative as d')
    .join('sticker_asset as a', 'a.id', 'd.asset_id')
    .leftJoin('stored_object as o', (join) => {
      join.on('o.sha256', 'd.sha256').andOn('o.kind', 'd.variant');
    })
    .where({ 'a.status': 'ready', 'a.moderation': 'approved' })
    .orderBy('d.asset_id', order)
    .limit(lookedAtEachEnd)
    .select<ShownRow[]>('d.variant', 'd.sha256', 'd.size_bytes', 'o.object_verified_at');
}
