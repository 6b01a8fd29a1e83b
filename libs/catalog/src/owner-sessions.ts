/**
 * Sessions of owners in a browser, begun with an API key and never outliving it: a revoked key ends them with the next request. The
 * token is in the owner's cookie and nowhere else; the table has its hash. Why so: runbooks/decisions/0023.
 */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { isSameSecret, type Database } from '@omnizap/runtime';
import type { ApiKeys } from './api-keys.ts';
import { deleteSession, findSessionHolder, insertSession } from './owner-session-store.ts';

/** From the sign-in on, whatever is done meanwhile: a day's work, and not the next one's. */
export const sessionLifetimeMs = 12 * 3_600_000;
/** What a session may do, however much its key may. */
const sessionScope = 'catalog:write';
const tokenPattern = /^[A-Za-z0-9_-]{43}$/;

export type OwnerSession = { keyId: string; ownerId: string; csrfToken: string };

export type OwnerSessions = ReturnType<typeof createOwnerSessions>;

export function createOwnerSessions(deps: { database: Database; apiKeys: Pick<ApiKeys, 'authenticate'> }) {
  const { database, apiKeys } = deps;

  return {
    /** The token of a new session; null when the key is none that an owner works with, for whatever reason. */
    async begin(key: string): Promise<string | null> {
      const holder = await apiKeys.authenticate(key);
      if (!holder?.scopes.includes(sessionScope)) return null;
      const token = randomBytes(32).toString('base64url');
      await insertSession(database, { tokenSha256: hash(token), keyId: holder.keyId, lifetimeMs: sessionLifetimeMs });
      return token;
    },

    /** Null when it is over, its key was revoked, or there never was one. */
    async find(token: string): Promise<OwnerSession | null> {
      if (!tokenPattern.test(token)) return null;
      const holder = await findSessionHolder(database, hash(token));
      if (!holder?.scopes.includes(sessionScope)) return null;
      return { keyId: holder.keyId, ownerId: holder.ownerId, csrfToken: csrfTokenOf(token) };
    },

    /** Idempotent. */
    async end(token: string): Promise<void> {
      if (tokenPattern.test(token)) await deleteSession(database.knex, hash(token));
    },
  };
}

/** Whether a change comes from a page that was drawn for this session. */
export function isFromSession(session: OwnerSession, csrfToken: string | undefined): boolean {
  return isSameSecret(csrfToken ?? '', session.csrfToken);
}

/** 256 random bits: a fast hash is enough, and looking it up tells nothing about it. */
function hash(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** Pages show it, so the session's token must not follow from it. */
function csrfTokenOf(token: string): string {
  return createHmac('sha256', token).update('csrf').digest('base64url');
}
