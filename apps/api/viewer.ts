/** Who looks at a pack, as far as counting once needs to know: never an identity, and only ever stored as a keyed hash. */
import type { Request } from 'express';

const viewerCookie = 'omnizap_vid';
const maxKeyLength = 128;

export function viewerOf(request: Request): { key: string; address: string } {
  const address = request.ip ?? '';
  const given = request.get('x-viewer-key') ?? cookieOf(request, viewerCookie);
  if (given !== undefined && given !== '') return { key: `key:${given.slice(0, maxKeyLength)}`, address };
  return { key: `agent:${address}|${(request.get('user-agent') ?? '').slice(0, 256)}`, address };
}

function cookieOf(request: Request, name: string): string | undefined {
  const pair = (request.headers.cookie ?? '').split(';').find((part) => part.trim().startsWith(`${name}=`));
  return pair?.trim().slice(name.length + 1);
}
