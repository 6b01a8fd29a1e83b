/** API keys: `oz_<key id>_<secret>`. Only a hash of the secret is stored; a revoked key stops working with the next request. */
import { createHash, randomBytes } from 'node:crypto';
import { AppError, isSameSecret, writeAudit, type Database } from '@omnizap/runtime';
import { findActiveKey, insertKey, revokeKey } from './api-key-store.ts';

export const scopes = ['catalog:write', 'admin', 'metrics'] as const;
export type Scope = (typeof scopes)[number];

export type KeyHolder = { keyId: string; ownerId: string; scopes: string[] };

const keyPattern = /^oz_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/;

export function createApiKeys(deps: { database: Database }) {
  const { database } = deps;
  const hash = (secret: string): string => createHash('sha256').update(secret).digest('hex');

  return {
    /** The holder of a valid key, or null. The secret has 256 random bits, so a fast hash is enough. */
    async authenticate(token: string): Promise<KeyHolder | null> {
      const [, keyId, secret] = keyPattern.exec(token) ?? [];
      if (keyId === undefined || secret === undefined) return null;
      const stored = await findActiveKey(database.knex, keyId);
      // Compared even when there is no such key: the time must not tell which ids exist.
      const isValid = isSameSecret(hash(secret), stored?.secretSha256 ?? '');
      return stored && isValid ? { keyId, ownerId: stored.ownerId, scopes: stored.scopes } : null;
    },

    /** The key is in the answer and nowhere else. */
    async create(
      input: { ownerId: string; scopes: Scope[] },
      audit: { actor: string; requestId?: string | undefined },
    ): Promise<{ keyId: string; key: string }> {
      const keyId = randomBytes(8).toString('hex');
      const secret = randomBytes(32).toString('base64url');
      await database.transaction(async (trx) => {
        await insertKey(trx, { keyId, ownerId: input.ownerId, secretSha256: hash(secret), scopes: input.scopes });
        const after = { owner_id: input.ownerId, scopes: input.scopes };
        await writeAudit(trx, {
          actor: audit.actor,
          action: 'api-key.create',
          targetType: 'api_key',
          targetId: keyId,
          after,
          requestId: audit.requestId,
        });
      });
      return { keyId, key: `oz_${keyId}_${secret}` };
    },

    /** @throws AppError `not-found` */
    async revoke(keyId: string, audit: { actor: string; requestId?: string | undefined }): Promise<void> {
      await database.transaction(async (trx) => {
        if (!(await revokeKey(trx, database, keyId)))
          throw new AppError('not-found', `There is no active API key "${keyId}".`);
        await writeAudit(trx, {
          actor: audit.actor,
          action: 'api-key.revoke',
          targetType: 'api_key',
          targetId: keyId,
          requestId: audit.requestId,
        });
      });
    },
  };
}

export type ApiKeys = ReturnType<typeof createApiKeys>;
