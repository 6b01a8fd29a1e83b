import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash, randomBytes } from 'node:crypto';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import type { S3ClientConfig } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { startObjectStorage } from './start-object-storage.ts';
import type { ObjectStorage } from './start-object-storage.ts';

const HOUR_MS = 3_600_000;
const body = randomBytes(20_480);

let storage: ObjectStorage;
let client: S3Client;

beforeAll(async () => {
  storage = await startObjectStorage();
  client = clientOf(storage);
  await client.send(new PutObjectCommand({ Bucket: storage.bucket, Key: 'kept.webp', Body: body }));
});
afterAll(async () => {
  client.destroy();
  await storage.stop();
});

function clientOf({ endpoint, region, accessKeyId, secretAccessKey }: ObjectStorage, config: S3ClientConfig = {}) {
  // One attempt: the client would else correct its clock and ask again.
  const credentials = { accessKeyId, secretAccessKey };
  return new S3Client({ endpoint, region, forcePathStyle: true, maxAttempts: 1, credentials, ...config });
}

/** `<status> <code>` of the refusal. */
async function refusalOf(answer: Promise<unknown>): Promise<string> {
  return await answer.then(
    () => 'none',
    (error: unknown) => {
      if (!(error instanceof S3ServiceException)) throw error;
      return `${String(error.$metadata.httpStatusCode)} ${error.name}`;
    },
  );
}

async function readWith(config: S3ClientConfig): Promise<string> {
  const other = clientOf(storage, config);
  const answer = refusalOf(other.send(new GetObjectCommand({ Bucket: storage.bucket, Key: 'kept.webp' })));
  return await answer.finally(() => other.destroy());
}

async function fetchCode(url: string, init?: RequestInit): Promise<string> {
  const response = await fetch(url, init);
  return `${response.status} ${/<Code>(.*)<\/Code>/.exec(await response.text())?.[1] ?? ''}`.trim();
}

describe('the object storage of tests', () => {
  it('keeps what is put, with its type and metadata, until it is deleted', async () => {
    const place = { Bucket: storage.bucket, Key: 'sticker/ação 1.webp' };
    const put = await client.send(
      new PutObjectCommand({ ...place, Body: body, ContentType: 'image/webp', Metadata: { origin: 'test' } }),
    );
    const head = await client.send(new HeadObjectCommand(place));
    const whole = await client.send(new GetObjectCommand(place));
    const part = await client.send(new GetObjectCommand({ ...place, Range: 'bytes=100-199' }));

    expect(put.ETag).toBe(`"${createHash('md5').update(body).digest('hex')}"`);
    expect(head).toMatchObject({ ContentLength: 20_480, ContentType: 'image/webp', Metadata: { origin: 'test' } });
    expect(Buffer.from((await whole.Body?.transformToByteArray()) ?? []).equals(body)).toBe(true);
    expect(part).toMatchObject({ $metadata: { httpStatusCode: 206 }, ContentRange: 'bytes 100-199/20480' });
    expect(Buffer.from((await part.Body?.transformToByteArray()) ?? []).equals(body.subarray(100, 200))).toBe(true);

    await client.send(new DeleteObjectCommand(place));
    expect(await refusalOf(client.send(new GetObjectCommand(place)))).toBe('404 NoSuchKey');
  });

  it('lists by prefix, in pages', async () => {
    for (const name of ['c', 'a', 'b'])
      await client.send(new PutObjectCommand({ Bucket: storage.bucket, Key: `list/${name}`, Body: name }));
    const list = { Bucket: storage.bucket, Prefix: 'list/' };
    const first = await client.send(new ListObjectsV2Command({ ...list, MaxKeys: 2 }));
    const second = await client.send(
      new ListObjectsV2Command({ ...list, ContinuationToken: first.NextContinuationToken }),
    );

    expect(first.Contents?.map(({ Key, Size }) => [Key, Size])).toEqual([
      ['list/a', 1],
      ['list/b', 1],
    ]);
    expect(second.Contents?.map(({ Key }) => Key)).toEqual(['list/c']);
    expect(second.IsTruncated).toBe(false);
  });

  it('refuses requests that are not signed, or not signed rightly', async () => {
    const { accessKeyId } = storage;
    const url = `${storage.endpoint}/${storage.bucket}/kept.webp`;

    expect(await fetchCode(url)).toBe('403 AccessDenied');
    for (const id of [accessKeyId, 'omnizap:nobody'])
      expect(await readWith({ credentials: { accessKeyId: id, secretAccessKey: 'guessed' } })).toBe(
        '403 SignatureDoesNotMatch',
      );
    expect(await readWith({ region: 'eu-west-1' })).toBe('400 AuthorizationHeaderMalformed');
  });

  it('refuses clocks that are 20 minutes off, and takes those that are 5 minutes off', async () => {
    expect(await readWith({ systemClockOffset: -20 * 60_000 })).toBe('403 RequestTimeTooSkewed');
    expect(await readWith({ systemClockOffset: 20 * 60_000 })).toBe('403 RequestTimeTooSkewed');
    expect(await readWith({ systemClockOffset: -5 * 60_000 })).toBe('none');
  });

  it('says that there is no such bucket', async () => {
    expect(await refusalOf(client.send(new GetObjectCommand({ Bucket: 'missing', Key: 'a' })))).toBe(
      '404 NoSuchBucket',
    );
    expect(await refusalOf(client.send(new PutObjectCommand({ Bucket: 'missing', Key: 'a', Body: 'a' })))).toBe(
      '404 NoSuchBucket',
    );
  });

  it('answers a signed address until it expires, and none that was changed', async () => {
    const read = new GetObjectCommand({ Bucket: storage.bucket, Key: 'kept.webp', ResponseCacheControl: 'no-store' });
    const url = await getSignedUrl(client, read, { expiresIn: 60 });
    const old = await getSignedUrl(client, read, { expiresIn: 60, signingDate: new Date(Date.now() - HOUR_MS) });
    const response = await fetch(url);

    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(Buffer.from(await response.arrayBuffer()).equals(body)).toBe(true);
    expect(await fetchCode(url, { method: 'DELETE' })).toBe('403 SignatureDoesNotMatch');
    expect(await fetchCode(url.replace('kept.webp', 'other.webp'))).toBe('403 SignatureDoesNotMatch');
    expect(await fetchCode(url.replace('X-Amz-Expires=60', 'X-Amz-Expires=600'))).toBe('403 SignatureDoesNotMatch');
    expect(await fetchCode(old)).toBe('403 AccessDenied');
  });

  it('takes back what it was given after a SIGKILL, at the same address', async () => {
    const { bucket } = storage;
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'survivor', Body: 'still here' }));
    await storage.kill();
    await expect(fetch(storage.endpoint)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });

    await storage.restart();

    const answer = await client.send(new GetObjectCommand({ Bucket: bucket, Key: 'survivor' }));
    expect(await answer.Body?.transformToString()).toBe('still here');
    const list = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: 'survivor' }));
    expect(list.KeyCount).toBe(1);
  });

  it('stands beside another one, which knows nothing of it', async () => {
    const other = await startObjectStorage({ bucket: 'elsewhere' });
    const guest = clientOf(other);
    try {
      expect(await refusalOf(guest.send(new GetObjectCommand({ Bucket: storage.bucket, Key: 'kept.webp' })))).toBe(
        '404 NoSuchBucket',
      );
      expect(await readWith({ credentials: { ...other } })).toBe('403 SignatureDoesNotMatch');
    } finally {
      guest.destroy();
      await other.stop();
    }
    expect(await readWith({})).toBe('none');
  });
});
