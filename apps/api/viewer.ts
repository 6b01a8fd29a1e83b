/** Who looks at a pack, as far as counting once needs to know: never an identity, and only ever stored as a keyed hash. */
import { randomBytes } from 'node:crypto';
import type { Request, Response } from 'express';
import { AppError } from '@omnizap/runtime';
import { cookieOf } from './cookie-of.ts';

const viewerCookie = 'omnizap_vid';
const keyPattern = /^[\x20-\x7e]{1,128}$/;
/** Browsers keep no cookie for longer than 400 days. */
const cookieMaxAgeMs = 400 * 86_400_000;

/** @throws AppError `invalid-parameter` when X-Viewer-Key cannot be a key; the message does not repeat it */
export function viewerOf(request: Request): { key: string; address: string } {
  const address = networkOf(request.ip ?? '');
  const given = request.get('x-viewer-key') ?? '';
  if (given !== '' && !keyPattern.test(given)) {
    const detail = 'must be 1 to 128 printable ASCII characters';
    throw new AppError('invalid-parameter', `The header X-Viewer-Key ${detail}.`, {
      fields: [{ pointer: 'X-Viewer-Key', detail }],
    });
  }
  const key = given === '' ? cookieOf(request, viewerCookie) : given;
  // A browser cannot know what is wrong with its cookie.
  if (key !== undefined && keyPattern.test(key)) return { key: `key:${key}`, address };
  return { key: `agent:${address}|${(request.get('user-agent') ?? '').slice(0, 256)}`, address };
}

/**
 * The viewer, who from now on is known by a random cookie when he comes with a browser from a page of ours and has none. Pages
 * themselves set none: they are the same for everybody, and caches keep them.
 */
export function rememberedViewerOf(request: Request, response: Response): ReturnType<typeof viewerOf> {
  const isFromOwnPage = request.get('sec-fetch-site') === 'same-origin';
  const isKnown = request.get('x-viewer-key') !== undefined || cookieOf(request, viewerCookie) !== undefined;
  if (!isFromOwnPage || isKnown) return viewerOf(request);
  const value = randomBytes(16).toString('base64url');
  const isSecure = request.protocol === 'https';
  response.cookie(viewerCookie, value, { httpOnly: true, sameSite: 'lax', secure: isSecure, maxAge: cookieMaxAgeMs });
  return { key: `key:${value}`, address: networkOf(request.ip ?? '') };
}

/** One household has one IPv4 address but at least a /56 of IPv6 (RIPE-690): those count by that. */
function networkOf(ip: string): string {
  const address = ip.replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*$/, '');
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const rest = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros =
    tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - groups.length - rest.length) }, () => '0');
  const [first, second, third, fourth] = [...groups, ...zeros, ...rest].map((group) => parseInt(group, 16));
  return [first, second, third, (fourth ?? 0) & 0xff00].map((group) => (group ?? 0).toString(16)).join(':');
}
