/**
 * Prepared answers (JSON, or text as it is): serialised once, compressed once per encoding, with a strong ETag per encoding. An entry is used only while
 * its stamp (versions of what it was made from, read live) is unchanged.
 */
import { createHash } from 'node:crypto';
import type { Request, Response } from 'express';
import { LRUCache } from 'lru-cache';
import { Counter, type Metrics } from '@omnizap/runtime';
import { compressors, encodingFor, etagOf, type Encoding } from './encodings.ts';
import { matchesEtag } from './entity-tags.ts';

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
      const chosen = encodingFor(request);
      const etag = etagOf(entry.hash, chosen);
      for (const name of [options.vary ?? [], 'Accept-Encoding'].flat()) response.vary(name);
      response.set({ 'Cache-Control': options.cacheControl, ETag: etag });
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
