/** What a browser has kept for us. */
import type { Request } from 'express';

/** The value of the first cookie of that name: browsers send the one with the longest path first (RFC 6265, 5.4). */
export function cookieOf(request: Request, name: string): string | undefined {
  return cookiesOf(request, name)[0];
}

/** All values of that name: those of other paths and of the domain above come as well. */
export function cookiesOf(request: Request, name: string): string[] {
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim());
  return pairs.filter((pair) => pair.startsWith(`${name}=`)).map((pair) => pair.slice(name.length + 1));
}
