/** What a browser has kept for us. */
import type { Request } from 'express';

/** The value of the first cookie of that name: browsers send the one with the longest path first (RFC 6265, 5.4). */
export function cookieOf(request: Request, name: string): string | undefined {
  const pair = (request.headers.cookie ?? '').split(';').find((part) => part.trim().startsWith(`${name}=`));
  return pair?.trim().slice(name.length + 1);
}
