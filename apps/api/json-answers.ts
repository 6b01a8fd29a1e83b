/** Answers that are made anew each time: compressed when that is worth it, with an ETag when caches may keep them. */
import { createHash } from 'node:crypto';
import type { Request, Response } from 'express';
import { compressors, encodingFor, etagOf } from './encodings.ts';
import { matchesEtag } from './entity-tags.ts';

/** Below this a packet is a packet. */
const minCompressedBytes = 1_024;

/**
 * `isSecret`: sent as it is. The length of a compressed answer tells whoever can put words into it about the secret beside them (BREACH).
 */
export async function sendJson(
  request: Request,
  response: Response,
  body: unknown,
  { isSecret }: { isSecret: boolean },
): Promise<void> {
  const plain = Buffer.from(JSON.stringify(body));
  const mayCompress = !isSecret && plain.length >= minCompressedBytes;
  const encoding = mayCompress ? encodingFor(request) : 'identity';
  if (mayCompress) response.vary('Accept-Encoding');
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  if (isRead && response.statusCode === 200 && isKeptByCaches(response)) {
    const etag = etagOf(createHash('sha256').update(plain).digest('base64url').slice(0, 27), encoding);
    response.set('ETag', etag);
    if (matchesEtag(request.get('if-none-match'), etag)) {
      response.status(304).end();
      return;
    }
  }
  const sent = encoding === 'identity' ? plain : await compressors[encoding](plain);
  if (encoding !== 'identity') response.set('Content-Encoding', encoding);
  response.set({ 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': String(sent.length) });
  response.end(request.method === 'HEAD' ? undefined : sent);
}

function isKeptByCaches(response: Response): boolean {
  return String(response.getHeader('Cache-Control')).startsWith('public');
}
