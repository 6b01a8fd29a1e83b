/** SQL of API keys. */
import type { Knex } from 'knex';
import { fromJsonColumn, sqlNow, type Database, type Transaction } from '@omnizap/runtime';

export type StoredKey = { keyId: string; ownerId: string; secretSha256: string; scopes: string[] };

export async function findActiveKey(db: Knex, keyId: string): Promise<StoredKey | null> {
  const row = await db('api_key')
    .where({ key_id: keyId })
    .whereNull('revoked_at')
    .first<{ key_id: string; owner_id: string; secret_sha256: string; scopes: unknown } | undefined>(
      'key_id',
      'owner_id',
      'secret_sha256',
      'scopes',
    );
  return row
    ? {
        keyId: row.key_id,
        ownerId: row.owner_id,
        secretSha256: row.secret_sha256,
        scopes: fromJsonColumn(row.scopes) as string[],
      }
    : null;
}

export async function insertKey(trx: Transaction, key: StoredKey): Promise<void> {
  await trx('api_key').insert({
    key_id: key.keyId,
    owner_id: key.ownerId,
    secret_sha256: key.secretSha256,
    scopes: JSON.stringify(key.scopes),
  });
}

/** False when there is no such active key. */
export async function revokeKey(trx: Transaction, database: Database, keyId: string): Promise<boolean> {
  const updated = await trx('api_key')
    .where({ key_id: keyId })
    .whereNull('revoked_at')
    .update({ revoked_at: trx.raw(sqlNow(database.kind)) });
  return updated === 1;
}
