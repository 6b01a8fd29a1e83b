/** What one run has of object storage: a bucket, the flag that sends everybody there, clients, and the bucket's side of the ledger. */
import { createHash, randomBytes } from 'node:crypto';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import type { FinalTables } from '../final-tables.ts';
import { judgeAssets } from '../judge/judge-assets.ts';
import type { AssetConditions } from '../judge/judge-assets.ts';
import { judgeObjects, keyOf } from '../judge/judge-objects.ts';
import type { BucketObject, ObjectRow } from '../judge/judge-objects.ts';
import type { Violation } from '../judge/violation.ts';
import type { FlagName, FlagState } from '../flags/flip.ts';
import type { Sql } from '../sql.ts';
import { measureAssets } from './asset-figures.ts';
import type { AssetFigures } from './asset-figures.ts';
import type { AssetLoad } from './asset-load.ts';
import type { Outage } from './asset-records.ts';
import type { StorageMode, StorageServer } from './storage-server.ts';

const flag: FlagName = 'enable_object_storage_delivery';
const everybody: FlagState = { isEnabled: true, percent: 100 };
/** Objects that are read at the same time. */
const readsAtOnce = 8;

export type StorageRun = {
  settings: Record<string, string>;
  flags: Partial<Record<FlagName, FlagState>>;
  server: StorageServer;
  mode: StorageMode;
  outages: Outage[];
  /** Before any process has read the flags. */
  turnOn: (catalogue: Sql) => Promise<void>;
  /** Once the fleet is at rest. */
  readBucket: (catalogue: Sql) => Promise<{ objects: BucketObject[]; rows: ObjectRow[] }>;
};

export async function openStorageRun(server: StorageServer, mode: StorageMode): Promise<StorageRun> {
  const bucket = `chaos-${randomBytes(6).toString('hex')}`;
  await server.start();
  await server.createBucket(bucket);
  return {
    settings: server.settings(bucket, mode),
    flags: { [flag]: everybody },
    server,
    mode,
    outages: [],
    async turnOn(catalogue) {
      await catalogue.query(
        `UPDATE feature_flag SET is_enabled = 1, rollout_percent = ${everybody.percent}, updated_by = 'ops' WHERE flag_name = '${flag}'`,
      );
    },
    async readBucket(catalogue) {
      const rows = await catalogue.query<Record<string, string | number>>(
        `SELECT kind, sha256, CASE WHEN object_verified_at IS NULL THEN 0 ELSE 1 END AS is_verified,
                CASE WHEN removing_since IS NULL THEN 0 ELSE 1 END AS is_going FROM stored_object`,
      );
      await server.start();
      const said = rows.map((row) => ({
        kind: String(row.kind).trim(),
        sha256: String(row.sha256).trim(),
        isVerified: Number(row.is_verified) === 1,
        isGoing: Number(row.is_going) === 1,
      }));
      return { objects: await readObjects(server, bucket, said), rows: said };
    },
  };
}

/**
 * Everything, by its bytes: what the bucket lists, and what is said to be there. Swift enters an object into its list after it has
 * stored it, and does not when it is killed in between.
 */
async function readObjects(server: StorageServer, bucket: string, rows: ObjectRow[]): Promise<BucketObject[]> {
  const client = server.connect();
  const objects: BucketObject[] = [];
  try {
    const listed = new Set(rows.map(({ kind, sha256 }) => keyOf(kind, sha256)));
    let token: string | undefined;
    do {
      const page = await client.send(new ListObjectsV2Command({ Bucket: bucket, ContinuationToken: token }));
      for (const { Key } of page.Contents ?? []) listed.add(Key ?? '');
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
    const keys = [...listed];
    const readOn = async (): Promise<void> => {
      for (let key = keys.pop(); key !== undefined; key = keys.pop()) {
        const bytes = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key })).then(
          ({ Body }) => Body?.transformToByteArray(),
          (error: unknown) => {
            if ((error as Error).name === 'NoSuchKey') return undefined;
            throw error;
          },
        );
        if (bytes !== undefined) objects.push({ key, sha256: createHash('sha256').update(bytes).digest('hex') });
      }
    };
    await Promise.all(Array.from({ length: readsAtOnce }, readOn));
  } finally {
    client.destroy();
  }
  return objects;
}

export type StorageVerdict = { violations: Violation[]; figures: AssetFigures };

/** Null where the run had no object storage. */
export function judgeStorage(
  run: StorageRun | null,
  assets: Pick<AssetLoad, 'records' | 'looks'> | null,
  evidence: {
    tables: FinalTables;
    bucket: { objects: BucketObject[]; rows: ObjectRow[] } | null;
    damagedContent: string[];
  } & AssetConditions,
): StorageVerdict | null {
  if (run === null || assets === null) return null;
  const { records, looks } = assets;
  const seen = { mode: run.mode, records, looks, outages: run.outages };
  return {
    violations: [
      ...judgeAssets(seen, evidence),
      ...(evidence.bucket === null ? [] : judgeObjects(evidence.tables, evidence.bucket, evidence)),
    ],
    figures: measureAssets(seen),
  };
}
