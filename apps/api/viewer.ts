/** Who looks at a pack, as far as counting once needs to know: never an identity, and only ever stored as a keyed hash. */
import type { Request } from 'express';

const viewerCookie = 'omnizap_vid';
const maxKeyLength = 128;

export function viewerOf(request: Request): { key: string; address: string } {
  const address = networkOf(request.ip ?? '');
  const given = request.get('x-viewer-key') ?? cookieOf(request, viewerCookie);
  if (given !== undefined && given !== '') return { key: `key:${given.slice(0, maxKeyLength)}`, address };
  return { key: `agent:${address}|${(request.get('user-agent') ?? '').slice(0, 256)}`, address };
}

/** One household has one IPv4 address but 2^64 of IPv6: those count by their /64. */
function networkOf(ip: string): string {
  const address = ip.replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*$/, '');
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const rest = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros =
    tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - groups.length - rest.length) }, () => '0');
  return [...groups, ...zeros, ...rest].slice(0, 4).join(':');
}

function cookieOf(request: Request, name: string): string | undefined {
  const pair = (request.headers.cookie ?? '').split(';').find((part) => part.trim().startsWith(`${name}=`));
  return pair?.trim().slice(name.length + 1);
}
