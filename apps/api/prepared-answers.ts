/**
 * Prepared answers (JSON, or text as it is): serialised once, compressed once per encoding, with a strong ETag per encoding. An entry is used only while
 * its stamp (versions of what it was made from, read live) is unchanged.
 */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Request, Response } from 'express';
import { LRUCache } from 'lru-cache';
import Negotiator from 'negotiator';
import { Counter, type Metrics } from '@omnizap/runtime';

const encodings = ['br', 'gzip', 'identity'] as const;
type Encoding = (typeof encodings)[number];

const compressors: Record<Exclude<Encoding, 'identity'>, (bytes: Buffer) => Promise<Buffer>> = {
  // Quality 5 costs a few milliseconds once; 11 would cost a hundred.
  br: (bytes) => promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }),
  gzip: (bytes) => promisify(gzip)(bytes, { level: 6 }),
};

type Entry = { stamp: string; hash: string; bytes: Map<Encoding, Promise<Buffer>>; size: number };

/** All entries together, uncompressed; their compressed forms add about a third. */
const maxBytes = 32 * 1_024 * 1_024;
const maxEntries = 1_000;

type PreparedAnswer = {
  key: string;
  stamp: string;
  cacheControl: string;
  /** What it answers, when it is not JSON: `build` then makes the text itself. */
  contentType?: string;
  /** Request headers, besides the encoding's, that choose between answers of one URL. */
  vary?: string;
  build: () => Promise<unknown>;
};

export function createPreparedAnswers(metrics: Metrics, name: string) {
  const entries = new LRUCache<string, Entry>({
    max: maxEntries,
    maxSize: maxBytes,
    sizeCalculation: (entry) => entry.size,
  });
  const requests = cacheRequests(metrics);

  return {
    /** Answers `request` from the entry of `key`, making it by `build` when there is none for this `stamp`. */
    async answer(request: Request, response: Response, options: PreparedAnswer): Promise<void> {
      let entry = entries.get(options.key);
      const isHit = entry?.stamp === options.stamp;
      requests.inc({ cache: name, result: isHit ? 'hit' : 'miss' });
      if (!entry || !isHit) {
        const built = await options.build();
        const text = options.contentType === undefined ? JSON.stringify(built) : String(built);
        const body = compact(Buffer.from(text));
        const hash = createHash('sha256').update(body).digest('base64url').slice(0, 27);
        entry = {
          stamp: options.stamp,
          hash,
          bytes: new Map([['identity', Promise.resolve(body)]]),
          size: body.length,
        };
        entries.set(options.key, entry);
      }
      const encoding = new Negotiator(request).encoding([...encodings]) as Encoding | undefined;
      const chosen = encoding ?? 'identity';
      const etag = chosen === 'identity' ? `"${entry.hash}"` : `"${entry.hash}-${chosen}"`;
      const vary = options.vary === undefined ? 'Accept-Encoding' : `${options.vary}, Accept-Encoding`;
      response.set({ 'Cache-Control': options.cacheControl, Vary: vary, ETag: etag });
      if (matchesEtag(request.get('if-none-match'), etag)) {
        response.status(304).end();
        return;
      }
      let bytes = entry.bytes.get(chosen);
      if (!bytes && chosen !== 'identity') {
        bytes = (entry.bytes.get('identity') as Promise<Buffer>).then(compressors[chosen]).then(compact);
        entry.bytes.set(chosen, bytes);
      }
      const sent = await (bytes as Promise<Buffer>);
      if (chosen !== 'identity') response.set('Content-Encoding', chosen);
      const contentType = options.contentType ?? 'application/json; charset=utf-8';
      response.set({ 'Content-Type': contentType, 'Content-Length': String(sent.length) });
      if (request.method === 'HEAD') response.end();
      else response.end(sent);
    },
  };
}

export type PreparedAnswers = ReturnType<typeof createPreparedAnswers>;

/** One metric for all caches of the process. */
function cacheRequests({ registry }: Metrics): Counter {
  const name = 'omnizap_cache_requests_total';
  return (
    (registry.getSingleMetric(name) as Counter | undefined) ??
    new Counter({
      name,
      help: 'Look-ups in in-process caches.',
      labelNames: ['cache', 'result'],
      registers: [registry],
    })
  );
}

/** Small and compressed buffers are views into larger ones, which they would keep alive. */
function compact(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}

/** If-None-Match compares weakly (RFC 9110, 13.1.2). */
export function matchesEtag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  if (header.trim() === '*') return true;
  return header.split(',').some((candidate) => candidate.trim().replace(/^W\//, '') === etag);
}
