/** SQL that walks everything the catalogue has bytes of, a bounded batch at a time, beside what is known of the bucket. */
import type { Knex } from 'knex';
import type { BlobKind } from '@omnizap/storage';
import { havingContent, onlyWanted, type Content, type ContentId } from './stored-object-store.ts';

/** In the order of an object's key. */
export const contentKinds = ['original', 'preview', 'sticker'] as const satisfies BlobKind[];

type SizedRow = { sha256: string; size_bytes: number | string };

/** Stickers whose bytes belong into the bucket, by id from behind `after` on. */
export async function wantedAssetsAfter(db: Knex, after: string | null, limit: number): Promise<string[]> {
  const query = db('sticker_asset as a').modify(onlyWanted).orderBy('a.id').limit(limit);
  if (after !== null) void query.where('a.id', '>', after);
  return query.pluck<string[]>('a.id');
}

/** The bytes of these stickers that the bucket is not known to have, each once. */
export async function contentsToBringIn(db: Knex, assetIds: string[]): Promise<Content[]> {
  const contents = await Promise.all(
    contentKinds.map(async (kind) => {
      const { sha256: hash, size_bytes: size } = columnsOf(kind);
      const rows = await notVerified(db, kind)
        .whereIn('a.id', assetIds)
        .select<SizedRow[]>({ sha256: hash }, { size_bytes: size });
      return rows.map((row): Content => ({ kind, sha256: row.sha256, sizeBytes: Number(row.size_bytes) }));
    }),
  );
  return [...new Map(contents.flat().map((content) => [`${content.kind}/${content.sha256}`, content])).values()];
}

export async function countContentsToBringIn(db: Knex): Promise<number> {
  const counts = await Promise.all(
    contentKinds.map(async (kind) => {
      const [row] = await notVerified(db, kind)
        .modify(onlyWanted)
        .countDistinct<{ count: number | string }[]>({ count: columnsOf(kind).sha256 });
      return Number(row?.count ?? 0);
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Bytes of stickers, as `a`, that have no verified object, as `o`. */
function notVerified(db: Knex, kind: BlobKind): Knex.QueryBuilder {
  return contentsOf(db, kind)
    .leftJoin('stored_object as o', (join) => {
      join.on('o.sha256', columnsOf(kind).sha256).andOn('o.kind', db.raw('?', [kind]));
    })
    .whereNull('o.object_verified_at');
}

function contentsOf(db: Knex, kind: BlobKind): Knex.QueryBuilder {
  if (kind === 'original') return db('sticker_asset as a');
  return db('sticker_asset_derivative as d').join('sticker_asset as a', 'a.id', 'd.asset_id').where('d.variant', kind);
}

const columnsOf = (kind: BlobKind): { sha256: string; size_bytes: string } =>
  kind === 'original'
    ? { sha256: 'a.sha256', size_bytes: 'a.size_bytes' }
    : { sha256: 'd.sha256', size_bytes: 'd.size_bytes' };

export type UsedContent = Content & {
  /** A sticker has it that may be seen. */
  isWanted: boolean;
  /** When the last of the stickers that have it changed. */
  changedAt: Date;
};

/** Bytes of one kind that any sticker has, by hash from behind `after` on; indexes `sticker_asset_sha256_idx` and the derivatives' one. */
export async function usedContentsAfter(
  db: Knex,
  kind: BlobKind,
  after: string,
  limit: number,
): Promise<UsedContent[]> {
  const { sha256, size_bytes } = columnsOf(kind);
  const rows = await contentsOf(db, kind)
    .where(sha256, '>', after)
    .groupBy(sha256)
    .orderBy(sha256)
    .limit(limit)
    .select<(SizedRow & { changed_at: Date })[]>(
      { sha256 },
      db.raw('MAX(??) AS size_bytes', [size_bytes]),
      db.raw('MAX(a.updated_at) AS changed_at'),
    );
  const hashes = rows.map((row) => row.sha256);
  const wanted = new Set(
    await contentsOf(db, kind).whereIn(sha256, hashes).modify(onlyWanted).distinct().pluck<string[]>(sha256),
  );
  return rows.map((row) => ({
    ...{ kind, sha256: row.sha256, sizeBytes: Number(row.size_bytes) },
    ...{ isWanted: wanted.has(row.sha256), changedAt: row.changed_at },
  }));
}

export async function countUsedContents(db: Knex): Promise<number> {
  const counts = await Promise.all(
    contentKinds.map(async (kind) => {
      const [row] = await contentsOf(db, kind).countDistinct<{ count: number | string }[]>({
        count: columnsOf(kind).sha256,
      });
      return Number(row?.count ?? 0);
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Some sticker has it, whether it may be seen or not. */
export async function isUsed(db: Knex, content: ContentId): Promise<boolean> {
  return (await havingContent(db, content).first('a.id')) !== undefined;
}

/** Stickers that have it, some of them: any one of them leads to its bytes. */
export async function stickersWithContent(db: Knex, content: ContentId, limit: number): Promise<string[]> {
  return havingContent(db, content).orderBy('a.id').limit(limit).pluck<string[]>('a.id');
}

export type ObjectRow = Content & { verifiedAt: Date | null; removingSince: Date | null; createdAt: Date };

type StoredRow = SizedRow & {
  kind: BlobKind;
  object_verified_at: Date | null;
  removing_since: Date | null;
  created_at: Date;
};

const objectOfRow = (row: StoredRow): ObjectRow => ({
  ...{ kind: row.kind, sha256: row.sha256, sizeBytes: Number(row.size_bytes) },
  ...{ verifiedAt: row.object_verified_at, removingSince: row.removing_since, createdAt: row.created_at },
});

/** What is known of the bucket, of one kind by hash from behind `after` on. */
export async function objectRowsAfter(db: Knex, kind: BlobKind, after: string, limit: number): Promise<ObjectRow[]> {
  const rows = await db('stored_object')
    .where({ kind })
    .andWhere('sha256', '>', after)
    .orderBy('sha256')
    .limit(limit)
    .select<StoredRow[]>('*');
  return rows.map(objectOfRow);
}

export async function findObjectRow(db: Knex, { kind, sha256 }: ContentId): Promise<ObjectRow | null> {
  const row = await db('stored_object').where({ kind, sha256 }).first<StoredRow | undefined>();
  return row ? objectOfRow(row) : null;
}
