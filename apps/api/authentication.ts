/**
 * Who calls: an administrator by ADMIN_TOKEN or scope, an owner by API key or in the browser where they signed in with one, or nobody
 * in particular.
 */
import type { Request } from 'express';
import {
  adminOwnerId,
  isFromSession,
  scopes,
  type Actor,
  type ApiKeys,
  type OwnerSessions,
  type Scope,
} from '@omnizap/catalog';
import { AppError, bearerToken, isSameSecret } from '@omnizap/runtime';
import { isFromOtherOrigin } from './request-origin.ts';
import { sessionTokenOf } from './session-cookie.ts';

/** `keyId` stands for the key where requests are counted. */
export type Identity = Actor & { keyId: string; scopes: string[] };

type Deps = { apiKeys: ApiKeys; ownerSessions: Pick<OwnerSessions, 'find'>; adminToken: string | undefined };

export function createAuthentication(deps: Deps) {
  /** The identity behind the credentials, null without any. @throws AppError `unauthorized` when they are not valid. */
  async function identify(request: Request): Promise<Identity | null> {
    const header = request.headers.authorization;
    if (header === undefined) return identifyBySession(request);
    const token = bearerToken(header);
    if (token === undefined) throw new AppError('unauthorized', 'The Authorization header must be "Bearer <key>".');
    if (deps.adminToken !== undefined && isSameSecret(token, deps.adminToken))
      return { ownerId: adminOwnerId, keyId: 'admin-token', isAdmin: true, scopes: [...scopes] };
    const holder = await deps.apiKeys.authenticate(token);
    if (!holder) throw new AppError('unauthorized', 'The API key is not valid, or it was revoked.');
    const { ownerId, keyId } = holder;
    return { ownerId, keyId, isAdmin: holder.scopes.includes('admin'), scopes: holder.scopes };
  }

  /**
   * A browser sends its cookie by itself, whoever made it send the request: so changes must show that they come from a page of ours.
   * What such a session may do is the catalogue, however much its key may. @throws AppError `forbidden`
   */
  async function identifyBySession(request: Request): Promise<Identity | null> {
    const token = sessionTokenOf(request);
    if (token === undefined || isFromOtherOrigin(request)) return null;
    const session = await deps.ownerSessions.find(token);
    if (!session) return null;
    const isChange = request.method !== 'GET' && request.method !== 'HEAD';
    if (isChange && !isFromSession(session, request.get('x-csrf-token')))
      throw new AppError(
        'forbidden',
        'A change by a signed-in browser needs the header X-CSRF-Token of its page: load the page again.',
      );
    return { ownerId: session.ownerId, keyId: session.keyId, isAdmin: false, scopes: ['catalog:write'] };
  }

  return {
    identify,
    /** @throws AppError `unauthorized` without credentials, `forbidden` without the scope */
    async require(request: Request, scope: Scope): Promise<Identity> {
      const identity = await identify(request);
      if (!identity)
        throw new AppError(
          'unauthorized',
          `This needs an API key with scope ${scope}: send "Authorization: Bearer <key>".`,
        );
      if (!identity.isAdmin && !identity.scopes.includes(scope))
        throw new AppError('forbidden', `The API key lacks scope ${scope}.`);
      return identity;
    },
  };
}
