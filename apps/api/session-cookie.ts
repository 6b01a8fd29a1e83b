/**
 * The cookie of an owner who signed in. It is set once for the pages of `/user` and once for the API behind them: the gallery, whose
 * answers caches keep for everybody, never sees it.
 */
import type { CookieOptions, Request, Response } from 'express';
import { sessionLifetimeMs } from '@omnizap/catalog';
import { cookiesOf } from './cookie-of.ts';

const sessionCookie = 'omnizap_session';
const paths = ['/user', '/api'];

export function sessionTokenOf(request: Request): string | undefined {
  const values = new Set(cookiesOf(request, sessionCookie));
  // Two: a page of a neighbouring domain has put one of its own beside ours, and nobody can tell which is which.
  return values.size === 1 ? [...values][0] : undefined;
}

export function setSessionCookie(request: Request, response: Response, token: string): void {
  for (const path of paths)
    response.cookie(sessionCookie, token, { ...attributes(request, path), maxAge: sessionLifetimeMs });
}

export function clearSessionCookie(request: Request, response: Response): void {
  for (const path of paths) response.clearCookie(sessionCookie, attributes(request, path));
}

function attributes(request: Request, path: string): CookieOptions {
  // A proxy that ends TLS need not say so to us; the browser does, with the form that signs in.
  const isSecure = request.secure || request.get('origin')?.startsWith('https://') === true;
  return { path, httpOnly: true, sameSite: 'strict', secure: isSecure };
}
