/** SQL of owners' sessions. */
import type { Knex } from 'knex';
import { fromJsonColumn, sqlNow, sqlNowPlus, type Database } from '@omnizap/runtime';
import type { KeyHolder } from './api-keys.ts';

/** Browsers that are signed in with one key at a time; the oldest makes room. */
const maxSessionsPerKey = 20;
const surplusAtOnce = 100;

export async function insertSession(
  { knex, kind }: Database,
  session: { tokenSha256: string; keyId: string; lifetimeMs: number },
): Promise<void> {
  const newest = knex('owner_session').where({ key_id: session.keyId }).orderBy('id', 'desc');
  const surplus = await newest
    .offset(maxSessionsPerKey - 1)
    .limit(surplusAtOnce)
    .pluck<number[]>('id');
  if (surplus.length > 0) await knex('owner_session').whereIn('id', surplus).delete();
  await knex('owner_session').insert({
    token_sha256: session.tokenSha256,
    key_id: session.keyId,
    expires_at: knex.raw(sqlNowPlus(kind, session.lifetimeMs)),
  });
}

/** Whose key the session was begun with, while both hold; null otherwise. One query, by unique index and primary key. */
export async function findSessionHolder({ knex, kind }: Database, tokenSha256: string): Promise<KeyHolder | null> {
  const row = await knex('owner_session as s')
    .join('api_key as k', 'k.key_id', 's.key_id')
    .where({ 's.token_sha256': tokenSha256 })
    .whereNull('k.revoked_at')
    .whereRaw(`s.expires_at > ${sqlNow(kind)}`)
    .first<{ key_id: string; owner_id: string; scopes: unknown } | undefined>('k.key_id', 'k.owner_id', 'k.scopes');
  return row ? { keyId: row.key_id, ownerId: row.owner_id, scopes: fromJsonColumn(row.scopes) as string[] } : null;
}

export async function deleteSession(db: Knex, tokenSha256: string): Promise<void> {
  await db('owner_session').where({ token_sha256: tokenSha256 }).delete();
}
