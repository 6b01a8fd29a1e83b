/**
 * Entity tags. Those of bytes and JSON name exactly what is sent; that of an owner's answer names the version of the pack, which
 * rises with each of the owner's changes, and is there for If-Match alone: such an answer is never kept by anybody.
 */
import type { Request } from 'express';
import { AppError } from '@omnizap/runtime';

const tagPattern = /(?:W\/)?"[^"]*"/g;
const packTagPattern = /^"v(\d{1,9})"$/;
/** No pack has it, so that a tag which is none of ours matches none. */
const versionOfNoPack = -1;

/** If-None-Match compares weakly (RFC 9110, 13.1.2). */
export function matchesEtag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  if (header.trim() === '*') return true;
  const opaque = (tag: string): string => tag.replace(/^W\//, '');
  return (header.match(tagPattern) ?? []).some((candidate) => opaque(candidate) === opaque(etag));
}

/** What an owner's answer about a pack carries as ETag, and If-Match takes back. */
export function packEtag(pack: { version: number }): string {
  return `"v${pack.version}"`;
}

/**
 * The version that the pack must still have according to If-Match (strong comparison, RFC 9110, 13.1.1): for the
 * `expectedVersion` of the change. Undefined: whichever it has. @throws AppError `bad-request`
 */
export function expectedVersionOf(request: Request): number | undefined {
  const header = request.get('if-match')?.trim();
  if (header === undefined || header === '*') return undefined;
  const tags = header.match(tagPattern) ?? [];
  if (tags.length > 1)
    throw new AppError('bad-request', 'If-Match names several versions here: send the one that you have seen.');
  const version = packTagPattern.exec(header)?.[1];
  return version === undefined ? versionOfNoPack : Number(version);
}

/** What goes with every change of a pack. @throws AppError `bad-request` */
export function changeOf(request: Request, requestId: string) {
  return { requestId, expectedVersion: expectedVersionOf(request) };
}
