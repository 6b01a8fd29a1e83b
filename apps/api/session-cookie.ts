/**
 * The cookie of an owner who signed in. It is set once for the pages of `/user` and once for the API behind them: the gallery, whose
 * answers caches keep for everybody, never sees it.
 */
import type { CookieOptions, Request, Response } from 'express';
import { sessionLifetimeMs } from '@omnizap/catalog';
import { cookieOf } from './cookie-of.ts';

const sessionCookie = 'omnizap_session';
const paths = ['/user', '/api'];

export function sessionTokenOf(request: Request): string | undefined {
  return cookieOf(request, sessionCookie);
}

export function setSessionCookie(request: Request, response: Response, token: string): void {
  for (const path of paths)
    response.cookie(sessionCookie, token, { ...attributes(request, path), maxAge: sessionLifetimeMs });
}

export function clearSessionCookie(request: Request, response: Response): void {
  for (const path of paths) response.clearCookie(sessionCookie, attributes(request, path));
}

function attributes(request: Request, path: string): CookieOptions {
  return { path, httpOnly: true, sameSite: 'strict', secure: request.secure };
}
