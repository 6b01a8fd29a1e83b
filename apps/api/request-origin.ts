/** Whether a browser was made to send a request by a page that is not ours. */
import type { Request } from 'express';

/**
 * True when the browser says that another origin sent it (a sibling subdomain is another origin, although SameSite would let it).
 * Sec-Fetch-Site cannot be set by scripts, but is sent over TLS and on the loopback only; elsewhere Origin comes with every change.
 * `none`: typed, or a bookmark. Whoever sends neither is no browser of this decade and has to know the CSRF token like anybody else.
 */
export function isFromOtherOrigin(request: Request): boolean {
  const site = request.get('sec-fetch-site');
  if (site !== undefined) return site !== 'same-origin' && !(site === 'none' && isRead(request));
  const origin = request.get('origin');
  // The scheme is left out: a proxy that ends TLS need not say so.
  return (
    origin !== undefined && origin.replace(/^https?:\/\//, '').toLowerCase() !== request.get('host')?.toLowerCase()
  );
}

function isRead(request: Request): boolean {
  return request.method === 'GET' || request.method === 'HEAD';
}
