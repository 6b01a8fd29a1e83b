/** Who calls: an administrator by ADMIN_TOKEN or scope, an owner by API key, or nobody in particular. */
import type { Request } from 'express';
import { adminOwnerId, scopes, type Actor, type ApiKeys, type Scope } from '@omnizap/catalog';
import { AppError, bearerToken, isSameSecret } from '@omnizap/runtime';

/** `keyId` stands for the key where requests are counted. */
export type Identity = Actor & { keyId: string; scopes: string[] };

export function createAuthentication(deps: { apiKeys: ApiKeys; adminToken: string | undefined }) {
  /** The identity behind the credentials, null without any. @throws AppError `unauthorized` when they are not valid. */
  async function identify(request: Request): Promise<Identity | null> {
    const header = request.headers.authorization;
    if (header === undefined) return null;
    const token = bearerToken(header);
    if (token === undefined) throw new AppError('unauthorized', 'The Authorization header must be "Bearer <key>".');
    if (deps.adminToken !== undefined && isSameSecret(token, deps.adminToken))
      return { ownerId: adminOwnerId, keyId: 'admin-token', isAdmin: true, scopes: [...scopes] };
    const holder = await deps.apiKeys.authenticate(token);
    if (!holder) throw new AppError('unauthorized', 'The API key is not valid, or it was revoked.');
    const { ownerId, keyId } = holder;
    return { ownerId, keyId, isAdmin: holder.scopes.includes('admin'), scopes: holder.scopes };
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
