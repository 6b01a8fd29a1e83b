/**
 * How the bytes of a sticker reach whoever may have them: from local disk, from the bucket by way of this process, or by an address
 * that leads the client there. Whatever the bucket does, the answer is the one that the disk would give.
 */
import type { Request, Response } from 'express';
import type { Flags } from '@omnizap/rollout';
import { AppError, Counter, type Logger, type Metrics } from '@omnizap/runtime';
import {
  explainStorageError,
  type BlobKind,
  type BucketReader,
  type DiskStore,
  type ObjectStore,
} from '@omnizap/storage';
import type { StickerObjects } from '@omnizap/catalog';
import { sendBytes } from './send-bytes.ts';
import { sendStoredFile } from './send-stored-file.ts';
import { createSignedAddresses } from './signed-addresses.ts';

/** A bucket slower than this is not waited for while the disk has the bytes, too. */
const proxyTimeoutMs = 300;
/** Where it has not, there is nothing else to wait for. */
const onlySourceTimeoutMs = 5_000;
/** Of bytes from the bucket that are being sent: clients that read slowly must not fill the memory. */
const maxHeldBytes = 64 * 1_024 * 1_024;

export type DeliveredFile = {
  sha256: string;
  sizeBytes: number;
  isPublic: boolean;
  isInBucket: boolean;
  /** By an address that expires: the bucket's, which begins to live now, would outlive it. */
  isSigned: boolean;
};

export type AssetDelivery = {
  /** Answers with the bytes, or with where they are. ETag, type and caching of the bytes must be set already. */
  deliver(request: Request, response: Response, file: DeliveredFile, kind: BlobKind): Promise<void>;
  /** Where pages may have to show pictures from, besides here. */
  imageOrigins(): Promise<string[]>;
};

type Source = 'disk' | 'bucket' | 'redirect' | 'cdn';
type Outcome = 'ok' | 'failed' | 'slow' | 'missing' | 'corrupt' | 'skipped' | 'busy';

type Deps = {
  store: DiskStore;
  flags: Pick<Flags, 'isOn'>;
  metrics: Metrics;
  log: Logger;
  /** Null: there is no bucket. */
  bucket: { objects: ObjectStore; reader: BucketReader; stickerObjects: Pick<StickerObjects, 'distrust'> } | null;
  signedUrlTtlSeconds: number;
};

export function createAssetDelivery({ store, flags, metrics, log, bucket, signedUrlTtlSeconds }: Deps): AssetDelivery {
  const delivered = new Counter({
    name: 'omnizap_asset_delivery_total',
    help: 'Sticker bytes asked for, by where they came from; what the bucket failed to give is counted there, and again where it came from then.',
    labelNames: ['source', 'outcome'],
    registers: [metrics.registry],
  });
  const count = (source: Source, outcome: Outcome): void => delivered.inc({ source, outcome });
  let heldBytes = 0;
  const addresses = bucket && createSignedAddresses(bucket.objects, { ttlSeconds: signedUrlTtlSeconds });

  /** @throws AppError `unavailable` when this disk does not have them */
  async function sendFromDisk(request: Request, response: Response, file: DeliveredFile, kind: BlobKind) {
    const name = store.path(kind, file.sha256).slice(store.root.length);
    await sendStoredFile(request, response, { root: store.root, name, sizeBytes: file.sizeBytes });
  }

  /** What the bucket has is not what it should have: until somebody has mended that, nobody is sent there. */
  function learnFrom(error: unknown, file: DeliveredFile, kind: BlobKind): void {
    const { code, text } = explainStorageError(error);
    count('bucket', code === 'missing' || code === 'corrupt' ? code : code === 'silent' ? 'slow' : 'failed');
    if (code !== 'missing' && code !== 'corrupt') return;
    log.warn({ kind, sha256: file.sha256 }, `an object is not as it should be: ${text}`);
    void bucket?.stickerObjects.distrust({ kind, sha256: file.sha256 }).catch((failure: unknown) => {
      log.warn({ err: failure }, 'an object could not be marked');
    });
  }

  /** False: nothing was written, and something else may be. */
  async function sentFromBucket(
    request: Request,
    response: Response,
    file: DeliveredFile,
    kind: BlobKind,
    options: { timeoutMs: number; keep: boolean },
  ): Promise<boolean> {
    if (!bucket) return false;
    heldBytes += file.sizeBytes;
    try {
      await sendBytes(request, response, file.sizeBytes, async () => {
        const bytes = await bucket.reader.read(kind, file.sha256, file.sizeBytes, options.timeoutMs);
        if (options.keep)
          await store.put(kind, file.sha256, bytes).catch((error: unknown) => {
            log.warn({ err: error }, 'bytes from the bucket could not be kept on disk');
          });
        return bytes;
      });
      count('bucket', 'ok');
      return true;
    } catch (error) {
      if (error instanceof AppError && error.code !== 'object-corrupt') throw error;
      learnFrom(error, file, kind);
      return false;
    } finally {
      heldBytes -= file.sizeBytes;
    }
  }

  /** Signed for a GET without further headers; who sends a key must not send it on to another host. */
  function mayRedirect(request: Request, { isSigned }: DeliveredFile): boolean {
    return !isSigned && request.method === 'GET' && request.get('Authorization') === undefined && !request.fresh;
  }

  async function redirect(response: Response, file: DeliveredFile, kind: BlobKind): Promise<boolean> {
    if (!bucket || !addresses) return false;
    const open = file.isPublic ? bucket.objects.publicUrl(kind, file.sha256) : null;
    const { url, maxAgeSeconds } =
      open === null
        ? await addresses.of(kind, file.sha256)
        : { url: open, maxAgeSeconds: Math.floor(signedUrlTtlSeconds / 2) };
    for (const name of ['ETag', 'Content-Type']) response.removeHeader(name);
    response.set({ Location: url, 'Cache-Control': `private, max-age=${maxAgeSeconds}` });
    response.status(302).end();
    bucket.reader.wasHandedOut({ kind, sha256: file.sha256 });
    count(open === null ? 'redirect' : 'cdn', 'ok');
    return true;
  }

  return {
    async deliver(request, response, file, kind) {
      const isChosen = bucket !== null && file.isInBucket && flags.isOn('enable_object_storage_delivery', file.sha256);
      if (isChosen && !bucket.reader.isUsable()) count('bucket', 'skipped');
      else if (isChosen && bucket.objects.mode === 'redirect') {
        if (mayRedirect(request, file) && (await redirect(response, file, kind))) return;
      } else if (isChosen) {
        const isHere = await store.has(kind, file.sha256);
        const timeoutMs = isHere ? proxyTimeoutMs : onlySourceTimeoutMs;
        const isBusy = !bucket.reader.hasRoom() || heldBytes + file.sizeBytes > maxHeldBytes;
        if (isHere && isBusy) count('bucket', 'busy');
        else if (await sentFromBucket(request, response, file, kind, { timeoutMs, keep: !isHere })) return;
      }
      try {
        await sendFromDisk(request, response, file, kind);
        count('disk', 'ok');
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'unavailable') {
          // A range that is not there, or another version than wanted: the client has its answer.
          if (!(error instanceof AppError)) count('disk', 'failed');
          throw error;
        }
        // Whatever the row says: there is nothing else to ask. Not while the bucket is left alone: people do not try whether it works.
        const options = { timeoutMs: onlySourceTimeoutMs, keep: true };
        const mayAsk = bucket?.reader.isUsable() === true;
        if (mayAsk && (await sentFromBucket(request, response, file, kind, options))) return;
        count('disk', 'failed');
        throw error;
      }
    },

    async imageOrigins() {
      if (bucket?.objects.mode !== 'redirect' || !addresses) return [];
      const anything = '0'.repeat(64);
      const urls = [bucket.objects.publicUrl('sticker', anything), (await addresses.of('sticker', anything)).url];
      return [...new Set(urls.flatMap((url) => (url === null ? [] : [new URL(url).origin])))];
    },
  };
}
