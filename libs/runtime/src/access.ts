/** Who is asking: constant-time comparison of bearer tokens, and loopback recognition. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** The token of an `Authorization: Bearer` header, or undefined. */
export function bearerToken(authorization: string | undefined): string | undefined {
  return /^Bearer ([\x21-\x7e]{1,512})$/i.exec(authorization ?? '')?.[1];
}

/** Compares in time that depends on neither value: both are hashed to the same length first. */
export function isSameSecret(a: string, b: string): boolean {
  const digest = (value: string): Buffer => createHash('sha256').update(value).digest();
  return timingSafeEqual(digest(a), digest(b));
}

export function matchesToken(authorization: string | undefined, expected: string): boolean {
  return isSameSecret(bearerToken(authorization) ?? '', expected);
}

const proxyHeaders = ['x-forwarded-for', 'x-real-ip', 'forwarded', 'via'];

/**
 * By the socket's own address. A request that names a proxy is never "from loopback", but not every proxy names itself: behind one,
 * set METRICS_TOKEN, which ends the loopback's privilege.
 */
export function isFromLoopback(request: IncomingMessage): boolean {
  const isProxied = proxyHeaders.some((name) => request.headers[name] !== undefined);
  if (isProxied) return false;
  const address = request.socket.remoteAddress ?? '';
  return address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.');
}
