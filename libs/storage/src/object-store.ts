/**
 * Bytes in a bucket of any S3-compatible service, under their SHA-256: a key never changes its content, so an object may be kept
 * by whoever reads it for as long as they like. What is read is checked before anybody sees it.
 */
import type { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type ListObjectsV2CommandOutput,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { AppError } from '@omnizap/runtime';
import type { BlobKind } from './blob-kind.ts';
import type { ObjectStorageSettings } from './object-storage-settings.ts';
import { isEtagOf, isNamed } from './content-check.ts';
import { isMissing } from './storage-problem.ts';

export type StoredObject = {
  key: string;
  /** Null: the key is not one of ours. */
  content: { kind: BlobKind; sha256: string } | null;
  sizeBytes: number;
  /** As the service says it; of a small object the MD5 of its bytes, where the service does as AWS without KMS. */
  etag: string;
  modifiedAt: Date;
};

export type RequestLimits = {
  /** Attempts of one request, the first included. One where somebody waits and has the bytes elsewhere. Default 3. */
  attempts?: number;
  /** Of one request, its body included. Default 30 s. */
  timeoutMs?: number;
};

const defaultAttempts = 3;
const defaultTimeoutMs = 30_000;
/** A service that does not even take the connection. */
const connectTimeoutMs = 2_000;
const maxSockets = 64;
/** What services put up with; the client's figure is not exact to the second. */
const tolerableSkewMs = 300_000;
const listPageSize = 1_000;
const kinds: readonly string[] = ['original', 'sticker', 'preview'] satisfies BlobKind[];
const immutable = 'public, max-age=31536000, immutable';

export type ObjectStore = ReturnType<typeof createObjectStore>;

export function createObjectStore(settings: ObjectStorageSettings, limits: RequestLimits = {}) {
  const { attempts = defaultAttempts, timeoutMs = defaultTimeoutMs } = limits;
  const { bucket: Bucket, keyPrefix } = settings;
  const client = new S3Client({
    region: settings.region,
    ...(settings.endpoint === null ? {} : { endpoint: settings.endpoint }),
    credentials: { accessKeyId: settings.accessKeyId, secretAccessKey: settings.secretAccessKey },
    forcePathStyle: settings.forcePathStyle,
    maxAttempts: attempts,
    // Services other than AWS do not know the checksums that the client would add; a signed request carries one of its body anyway.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: connectTimeoutMs,
      requestTimeout: timeoutMs,
      throwOnRequestTimeout: true,
      httpAgent: { maxSockets, keepAlive: true },
      httpsAgent: { maxSockets, keepAlive: true },
    },
  });
  const within = (signal: AbortSignal | undefined, milliseconds = timeoutMs): AbortSignal => {
    const deadline = AbortSignal.timeout(milliseconds);
    return signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
  };
  const contentType = (kind: BlobKind): string => (kind === 'original' ? 'application/octet-stream' : 'image/webp');

  function key(kind: BlobKind, sha256: string): string {
    return `${keyPrefix}/${kind}/${sha256.slice(0, 2)}/${sha256}${kind === 'original' ? '' : '.webp'}`;
  }

  function contentOf(name: string): { kind: BlobKind; sha256: string } | null {
    const [kind = '', , file = ''] = name.slice(keyPrefix.length + 1).split('/');
    const sha256 = file.slice(0, 64);
    return kinds.includes(kind) && /^[0-9a-f]{64}$/.test(sha256) && key(kind as BlobKind, sha256) === name
      ? { kind: kind as BlobKind, sha256 }
      : null;
  }

  async function head(kind: BlobKind, sha256: string, signal?: AbortSignal) {
    try {
      const found = await client.send(new HeadObjectCommand({ Bucket, Key: key(kind, sha256) }), {
        abortSignal: within(signal),
      });
      return { sizeBytes: found.ContentLength ?? 0, etag: found.ETag ?? '' };
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }

  /**
   * All bytes of an object that is known to have `sizeBytes`, when they are what their name says.
   * @throws AppError `object-corrupt` when they are not; whatever the service or the network says
   */
  async function read(
    kind: BlobKind,
    sha256: string,
    sizeBytes: number,
    options: { signal?: AbortSignal; timeoutMs?: number } = {},
  ): Promise<Buffer> {
    const signal = within(options.signal, options.timeoutMs);
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: key(kind, sha256) }), {
      abortSignal: signal,
    });
    const bytes = await collect(Body as Readable, sizeBytes, signal);
    if (bytes?.length !== sizeBytes || !isNamed(sha256, bytes)) throw corrupt(kind, sha256);
    return bytes;
  }

  /** As `read`, of an object of at most `maxBytes` whose size nobody knows; null when there is none. */
  async function fetch(kind: BlobKind, sha256: string, maxBytes: number): Promise<Buffer | null> {
    const found = await head(kind, sha256);
    if (found === null) return null;
    if (found.sizeBytes > maxBytes) throw corrupt(kind, sha256);
    return read(kind, sha256, found.sizeBytes);
  }

  const corrupt = (kind: BlobKind, sha256: string): AppError =>
    new AppError('object-corrupt', `Object ${key(kind, sha256)} has other bytes than its name says.`);

  return {
    mode: settings.mode,
    fetch,
    key,
    read,
    head,

    /** Whether the service's answer says that it has exactly these bytes; where it does not, `holds` finds out. */
    async put(kind: BlobKind, sha256: string, bytes: Buffer, signal?: AbortSignal): Promise<boolean> {
      const command = new PutObjectCommand({
        ...{ Bucket, Key: key(kind, sha256), Body: bytes, ContentLength: bytes.length },
        ...{ ContentType: contentType(kind), CacheControl: immutable },
      });
      const { ETag = '' } = await client.send(command, { abortSignal: within(signal) });
      return isEtagOf(ETag, bytes) === true;
    },

    /**
     * Whether the bucket has exactly these bytes: by size and MD5 where its ETag is one, else by reading them back.
     * @throws whatever the service or the network says
     */
    async holds(kind: BlobKind, sha256: string, bytes: Buffer, signal?: AbortSignal): Promise<boolean> {
      const found = await head(kind, sha256, signal);
      if (found?.sizeBytes !== bytes.length) return false;
      if (isEtagOf(found.etag, bytes) === true) return true;
      return read(kind, sha256, bytes.length, signal === undefined ? {} : { signal }).then(
        () => true,
        (error: unknown) => {
          if (isMissing(error) || (error instanceof AppError && error.code === 'object-corrupt')) return false;
          throw error;
        },
      );
    },

    /** Also when there is no such object. */
    async remove(name: string, signal?: AbortSignal): Promise<void> {
      await client.send(new DeleteObjectCommand({ Bucket, Key: name }), { abortSignal: within(signal) }).catch(
        // Some services say that there is nothing to remove; AWS does not.
        (error: unknown) => {
          if (!isMissing(error)) throw error;
        },
      );
    },

    /** Everything under the prefix in the order of keys, from behind `after` on. */
    async *list(after?: string, signal?: AbortSignal): AsyncGenerator<StoredObject> {
      let token: string | undefined;
      do {
        const page = await client.send(
          new ListObjectsV2Command({
            ...{ Bucket, Prefix: `${keyPrefix}/`, MaxKeys: listPageSize },
            ...(token === undefined ? { StartAfter: after } : { ContinuationToken: token }),
          }),
          { abortSignal: within(signal) },
        );
        requireListing(page);
        for (const entry of page.Contents ?? []) {
          const name = entry.Key ?? '';
          yield {
            ...{ key: name, content: contentOf(name), sizeBytes: entry.Size ?? 0, etag: entry.ETag ?? '' },
            modifiedAt: entry.LastModified ?? new Date(0),
          };
        }
        token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
      } while (token !== undefined);
    },

    /** Asks for the bucket and nothing else. @throws whatever the service or the network says */
    async probe(probeTimeoutMs: number): Promise<void> {
      const signal = AbortSignal.timeout(probeTimeoutMs);
      await client.send(new HeadBucketCommand({ Bucket }), { abortSignal: signal }).catch((error: unknown) => {
        // There are no words in an answer to HEAD: what was asked for is known here only.
        if (isMissing(error)) throw Object.assign(new Error('no such bucket', { cause: error }), noSuchBucket);
        throw signal.aborted ? signal.reason : error;
      });
    },

    /** As `probe`, but with an answer that says what is wrong. */
    async probeInWords(probeTimeoutMs: number): Promise<void> {
      const signal = AbortSignal.timeout(probeTimeoutMs);
      const command = new ListObjectsV2Command({ Bucket, Prefix: `${keyPrefix}/`, MaxKeys: 1 });
      const page = await client.send(command, { abortSignal: signal }).catch((error: unknown) => {
        // Within an answer, our own end of it looks as if the service had closed the connection.
        throw signal.aborted ? signal.reason : error;
      });
      requireListing(page);
    },

    /**
     * Address that anybody may GET, and only GET, until `signedAt` + TTL. The same for the same moment, so that caches hit.
     * @throws Error when the service's endpoint cannot be formed
     */
    signedUrl(kind: BlobKind, sha256: string, signedAt: Date): Promise<string> {
      const command = new GetObjectCommand({
        ...{ Bucket, Key: key(kind, sha256), ResponseContentType: contentType(kind) },
        ResponseCacheControl: `private, max-age=${settings.signedUrlTtlSeconds}`,
      });
      return getSignedUrl(client, command, {
        expiresIn: settings.signedUrlTtlSeconds,
        signingDate: signedAt,
      });
    },

    /** By how much the service's clock is ahead of ours, to the minute, as its answers have shown: less than five minutes is none. */
    clockOffsetMs(): number {
      const offsetMs = client.config.systemClockOffset;
      return Math.abs(offsetMs) < tolerableSkewMs ? 0 : Math.round(offsetMs / 60_000) * 60_000;
    },

    /** Where everybody may read it, without a signature; null when nobody may. */
    publicUrl: (kind: BlobKind, sha256: string): string | null =>
      settings.cdnBaseUrl === null ? null : `${settings.cdnBaseUrl}/${key(kind, sha256)}`,

    close: () => client.destroy(),
  };
}

const noSuchBucket = { name: 'NoSuchBucket' };

/**
 * A page of HTML reads as a list without anything in it: whoever compares would think that the bucket is empty.
 * @throws Error when it is none
 */
function requireListing(page: ListObjectsV2CommandOutput): void {
  const { Name, KeyCount, IsTruncated, Contents } = page;
  if ([Name, KeyCount, IsTruncated, Contents].every((part) => part === undefined))
    throw new Error('XML parse error: no list of objects');
}

/** Null when there are more than expected: nobody has to read on to know that they are wrong. */
async function collect(body: Readable, sizeBytes: number, signal: AbortSignal): Promise<Buffer | null> {
  const parts: Buffer[] = [];
  let length = 0;
  const stop = (): void => void body.destroy(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const part of body as AsyncIterable<Buffer>) {
      length += part.length;
      if (length > sizeBytes) return null;
      parts.push(part);
    }
    return Buffer.concat(parts);
  } finally {
    signal.removeEventListener('abort', stop);
    body.destroy();
  }
}
