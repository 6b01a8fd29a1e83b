/** Whose pages these are: the owner who signed in to this browser. */
import type { Request, Response } from 'express';
import type { OwnerSession } from '@omnizap/catalog';
import type { Identity } from '../../authentication.ts';
import { sessionTokenOf } from '../../session-cookie.ts';
import type { WebDeps } from '../web-deps.ts';

/**
 * The session behind the cookie, counted among the reads of its key; null when there is none that holds.
 * @throws AppError `rate-limited`
 */
export async function readSession(
  { ownerSessions, rateLimiter }: WebDeps,
  request: Request,
  response: Response,
): Promise<OwnerSession | null> {
  const token = sessionTokenOf(request);
  const session = token === undefined ? null : await ownerSessions.find(token);
  if (session) await rateLimiter.take(request, response, 'read', identityOf(session));
  return session;
}

export function identityOf({ ownerId, keyId }: OwnerSession): Identity {
  return { ownerId, keyId, isAdmin: false, scopes: ['catalog:write'] };
}
