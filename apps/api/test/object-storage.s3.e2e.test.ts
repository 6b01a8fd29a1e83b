/** Delivery from a real S3 server, which checks signatures: what clients see of it, and what they do not. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  ask,
  createCatalogueClient,
  drawPng,
  startFleet,
  startObjectStorage,
  testDatabaseKinds,
  waitFor,
} from '@omnizap/testkit';
import type { Answer, CatalogueClient, Fleet, ObjectStorage, SpawnedProcess } from '@omnizap/testkit';

const flag = 'enable_object_storage_delivery';
const purgeToken = 'a-token-of-this-test';
const patience = { timeoutMs: 45_000 };
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
/** What a client may build on; the rest differs between any two answers. */
const toldOf = ({ status, headers, bytes }: Answer) => ({
  ...{ status, bytes: bytes.toString('base64'), etag: headers.etag, type: headers['content-type'] },
  ...{ cache: headers['cache-control'], length: headers['content-length'], range: headers['content-range'] },
});

type ObjectRow = { kind: string; sha256: string; size_bytes: number; object_verified_at: Date | null };

describe.each(testDatabaseKinds())('object storage on %s', (kind) => {
  let storage: ObjectStorage;
  let s3: S3Client;
  let fleet: Fleet;
  let own: CatalogueClient;
  let packKey: string;
  let stickerIds: string[];
  let redirecting: SpawnedProcess;
  let purges: Server;
  let purged: { authorization: string | undefined; body: { urls: string[]; paths: string[] } }[];
  let otherDisk: string;

  const urlOf = (process: SpawnedProcess): string => process.url;
  const assetPath = (index: number, query = ''): string =>
    `/api/sticker-packs/${packKey}/stickers/${stickerIds[index]}.webp${query}`;
  const setFlag = async (percent: number): Promise<void> => {
    const admin = createCatalogueClient(fleet.apiUrl, fleet.adminToken);
    const answer = await admin.call('PUT', `/api/admin/feature-flags/${flag}`, {
      body: { is_enabled: percent > 0, rollout_percent: percent, reason: 'a test' },
    });
    expect(answer.status).toBe(200);
    for (const process of [fleet.process('api'), redirecting])
      await waitFor(
        async () =>
          (await ask(`${urlOf(process)}/metrics`)).bytes
            .toString()
            .includes(`omnizap_feature_flag_rollout_percent{flag="${flag}"} ${percent}\n`),
        { ...patience, description: `the flag at ${percent}` },
      );
  };
  const counted = async (process: SpawnedProcess, source: string, outcome: string): Promise<number> => {
    const text = (await ask(`${urlOf(process)}/metrics`)).bytes.toString();
    const pattern = new RegExp(`omnizap_asset_delivery_total\\{source="${source}",outcome="${outcome}"\\} (\\d+)`);
    return Number(pattern.exec(text)?.[1] ?? 0);
  };
  const objectsOf = async (assetId: string): Promise<ObjectRow[]> => {
    const { knex } = fleet.database;
    const [asset] = await knex('sticker_asset').where({ id: assetId }).select<{ sha256: string }[]>('sha256');
    const made = await knex('sticker_asset_derivative').where({ asset_id: assetId }).pluck<string[]>('sha256');
    return knex('stored_object')
      .whereIn('sha256', [asset?.sha256 ?? '', ...made])
      .orderBy('kind')
      .select<ObjectRow[]>();
  };
  const keyOf = ({ kind: blob, sha256: hash }: { kind: string; sha256: string }): string =>
    `stickers/${blob}/${hash.slice(0, 2)}/${hash}${blob === 'original' ? '' : '.webp'}`;
  const inBucket = async (key: string): Promise<Buffer | null> =>
    s3.send(new GetObjectCommand({ Bucket: storage.bucket, Key: key })).then(
      async ({ Body }) => Buffer.from((await Body?.transformToByteArray()) ?? []),
      (error: unknown) => {
        if ((error as Error).name === 'NoSuchKey') return null;
        throw error;
      },
    );
  const waitUntilStored = (ids: string[]): Promise<unknown> =>
    waitFor(
      async () => {
        const rows = (await Promise.all(ids.map(objectsOf))).flat();
        return rows.length === 3 * ids.length && rows.every((row) => row.object_verified_at !== null);
      },
      { ...patience, description: 'every object to be stored' },
    );

  beforeAll(async () => {
    purged = [];
    purges = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = JSON.parse(Buffer.concat(chunks).toString()) as { urls: string[]; paths: string[] };
        purged.push({ authorization: request.headers.authorization, body });
        response.end();
      });
    }).listen(0, '127.0.0.1');
    await once(purges, 'listening');
    storage = await startObjectStorage();
    const { endpoint, region, accessKeyId, secretAccessKey } = storage;
    s3 = new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
    fleet = await startFleet(kind, {
      env: {
        STICKER_OBJECT_STORAGE_BUCKET: storage.bucket,
        STICKER_OBJECT_STORAGE_ENDPOINT: endpoint,
        STICKER_OBJECT_STORAGE_REGION: region,
        STICKER_OBJECT_STORAGE_ACCESS_KEY_ID: accessKeyId,
        STICKER_OBJECT_STORAGE_SECRET_ACCESS_KEY: secretAccessKey,
        STICKER_CDN_PURGE_URL: `http://127.0.0.1:${(purges.address() as AddressInfo).port}/purge`,
        STICKER_CDN_PURGE_TOKEN: purgeToken,
        // What has to be mended is found by sweeps.
        STICKER_WORKER_REBUILD_CADENCE_MS: '1000',
      },
    });
    redirecting = await fleet.start('api', { STICKER_OBJECT_STORAGE_MODE: 'redirect' });
    own = createCatalogueClient(fleet.apiUrl, (await fleet.createOwner()).key);
    packKey = await own.createPack({ name: 'Stored' });
    stickerIds = await own.addStickers(
      packKey,
      Array.from({ length: 6 }, (_, index) => ({ bytes: drawPng(700 + index), emojis: ['🙂'] })),
    );
    await own.publish(packKey);
    await waitUntilStored(stickerIds);
  }, 240_000);
  afterAll(async () => {
    s3.destroy();
    await fleet?.stop();
    await storage?.stop();
    purges.close();
    purges.closeAllConnections();
    if (otherDisk) await rm(otherDisk, { recursive: true, force: true });
  }, 60_000);

  it('has every byte of a ready sticker in the bucket, as it is on disk', async () => {
    for (const row of (await Promise.all(stickerIds.map(objectsOf))).flat()) {
      const file = path.join(fleet.dataDir, 'stickers', row.kind, row.sha256.slice(0, 2), row.sha256);
      const bytes = await inBucket(keyOf(row));
      expect(bytes?.equals(await readFile(file))).toBe(true);
      expect([sha256(bytes as Buffer), bytes?.length]).toEqual([row.sha256, Number(row.size_bytes)]);
    }
  });

  it('answers from the bucket as it answers from disk, for every way to ask', async () => {
    await setFlag(0);
    const ways: { method?: string; headers?: Record<string, string>; query?: string }[] = [
      {},
      { query: '?variant=preview' },
      { method: 'HEAD' },
      { headers: { Range: 'bytes=10-19' } },
      { headers: { Range: 'bytes=999999-' } },
      { headers: { 'If-None-Match': '"other"' } },
    ];
    const url = (query = ''): string => `${fleet.apiUrl}${assetPath(0, query)}`;
    const askAll = async () => {
      const answers = [];
      for (const { query, ...options } of ways) {
        const answer = await ask(url(query), options);
        answers.push(answer.status < 400 ? toldOf(answer) : answer.status);
      }
      const { headers } = await ask(url());
      answers.push(toldOf(await ask(url(), { headers: { 'If-None-Match': headers.etag as string } })));
      return answers;
    };
    const fromDisk = await askAll();
    const before = await counted(fleet.process('api'), 'bucket', 'ok');
    await setFlag(100);

    expect(await askAll()).toEqual(fromDisk);
    expect((await counted(fleet.process('api'), 'bucket', 'ok')) - before).toBeGreaterThanOrEqual(5);
    expect((await ask(`${fleet.apiUrl}/api/sticker-packs/${packKey}/stickers/..%2f..%2fetc.webp`)).status).toBe(404);
  });

  it('redirects to signed addresses that repeat, hold, and cannot be altered', async () => {
    await setFlag(100);
    const base = urlOf(redirecting);
    const [first, second] = [await ask(base + assetPath(1)), await ask(base + assetPath(1))];
    const location = first.headers.location ?? '';
    expect([first.status, second.status, second.headers.location]).toEqual([302, 302, location]);
    const [, maxAge = ''] = /^private, max-age=(\d+)$/.exec(first.headers['cache-control'] ?? '') ?? [];
    const signed = new URL(location).searchParams;
    const [, day = '', time = ''] = /^(\d{8})T(\d{6})Z$/.exec(signed.get('X-Amz-Date') ?? '') ?? [];
    const signedAt = Date.parse(
      `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}T${time.slice(0, 2)}:${time.slice(2, 4)}:${time.slice(4)}Z`,
    );
    const left = (signedAt + Number(signed.get('X-Amz-Expires')) * 1_000 - Date.now()) / 1_000;
    expect(Number(maxAge)).toBeLessThan(left);
    expect(Number(maxAge)).toBeGreaterThan(100);
    expect(location).not.toContain(storage.secretAccessKey);

    const fromDisk = await ask(`${base}${assetPath(1)}`, { key: fleet.adminToken });
    const there = await ask(location);
    expect([there.status, there.headers['content-type']]).toEqual([200, 'image/webp']);
    expect(there.bytes.equals(fromDisk.bytes)).toBe(true);
    const altered = location.replace(
      /(X-Amz-Signature=)(.)/,
      (_all, name: string, digit: string) => name + (digit === '0' ? '1' : '0'),
    );
    expect((await ask(altered)).status).toBe(403);
    expect((await ask(location.replace(/X-Amz-Expires=\d+/, 'X-Amz-Expires=9999'))).status).toBe(403);
  });

  it('redirects neither HEAD, nor who sends a key, nor who has the bytes, nor who may not see them', async () => {
    await setFlag(100);
    const base = urlOf(redirecting);
    const etag = (await ask(base + assetPath(1), { method: 'HEAD' })).headers.etag as string;
    const statuses = async (options: Parameters<typeof ask>[1]): Promise<number> =>
      (await ask(base + assetPath(1), options)).status;
    expect(await statuses({ method: 'HEAD' })).toBe(200);
    expect(await statuses({ key: fleet.adminToken })).toBe(200);
    expect(await statuses({ headers: { 'If-None-Match': etag } })).toBe(304);
    expect(await statuses({ headers: { Range: 'bytes=0-9' } })).toBe(302);

    const hidden = await own.createPack({ name: 'Draft' });
    const [id = ''] = await own.addStickers(hidden, [{ bytes: drawPng(720), emojis: ['🙂'] }]);
    await waitUntilStored([id]);
    const hiddenUrl = `${base}/api/sticker-packs/${hidden}/stickers/${id}.webp`;
    expect((await ask(hiddenUrl)).status).toBe(404);

    const page = await ask(`${base}/stickers`);
    expect(page.headers['content-security-policy']).toContain(`img-src 'self' data: ${storage.endpoint}`);
    expect((await ask(`${fleet.apiUrl}/stickers`)).headers['content-security-policy']).not.toContain(storage.endpoint);
  });

  it('sends public packs to the CDN, and others by a signature', async () => {
    const cdn = 'https://cdn.example.org/base';
    const process = await fleet.start('api', {
      STICKER_OBJECT_STORAGE_MODE: 'redirect',
      STICKER_OBJECT_STORAGE_CDN_BASE_URL: `${cdn}/`,
    });
    const answer = await ask(urlOf(process) + assetPath(2));
    const [shown] = (await objectsOf(stickerIds[2] ?? '')).filter((row) => row.kind === 'sticker');
    expect([answer.status, answer.headers.location]).toEqual([302, `${cdn}/${keyOf(shown as ObjectRow)}`]);
    expect((await ask(`${urlOf(process)}/stickers`)).headers['content-security-policy']).toContain(
      'https://cdn.example.org',
    );
    await process.stop();
  });

  it('gives the right bytes whatever the bucket has, and mends that', async () => {
    await setFlag(100);
    const [wrong, gone] = [stickerIds[3] ?? '', stickerIds[4] ?? ''];
    const served = async (id: string): Promise<ObjectRow> =>
      (await objectsOf(id)).find((row) => row.kind === 'sticker') as ObjectRow;
    const [wrongRow, goneRow] = [await served(wrong), await served(gone)];
    const Body = Buffer.alloc(Number(wrongRow.size_bytes), 'x');
    await s3.send(new PutObjectCommand({ Bucket: storage.bucket, Key: keyOf(wrongRow), Body }));
    await s3.send(new DeleteObjectCommand({ Bucket: storage.bucket, Key: keyOf(goneRow) }));

    for (const [index, row, outcome] of [
      [3, wrongRow, 'corrupt'],
      [4, goneRow, 'missing'],
    ] as const) {
      const answer = await ask(fleet.apiUrl + assetPath(index));
      expect([answer.status, sha256(answer.bytes)]).toEqual([200, row.sha256]);
      expect(await counted(fleet.process('api'), 'bucket', outcome)).toBe(1);
      await waitFor(async () => sha256((await inBucket(keyOf(row))) ?? Buffer.alloc(0)) === row.sha256, {
        ...patience,
        description: 'the object to be uploaded again',
      });
      await waitUntilStored([index === 3 ? wrong : gone]);
      expect((await ask(fleet.apiUrl + assetPath(index))).status).toBe(200);
      expect(await counted(fleet.process('api'), 'bucket', outcome)).toBe(1);
    }
  });

  it('takes a sticker that is taken down out of the bucket and out of caches, and brings it back', async () => {
    await setFlag(100);
    const id = stickerIds[5] ?? '';
    const rows = await objectsOf(id);
    const admin = createCatalogueClient(fleet.apiUrl, fleet.adminToken);
    const decide = async (decision: string): Promise<void> => {
      const answer = await admin.call('POST', `/api/admin/stickers/${id}/${decision}`, {
        body: { reason: 'a test' },
      });
      expect(answer.status).toBe(200);
    };
    const signed = (await ask(urlOf(redirecting) + assetPath(5))).headers.location ?? '';
    expect((await ask(signed)).status).toBe(200);

    await decide('take-down');
    expect((await ask(fleet.apiUrl + assetPath(5))).status).toBe(404);
    await waitFor(async () => (await objectsOf(id)).length === 0, { ...patience, description: 'no object' });
    expect(await Promise.all(rows.map((row) => inBucket(keyOf(row))))).toEqual([null, null, null]);
    expect((await ask(signed)).status).toBe(404);
    await waitFor(() => purged.length > 0, { ...patience, description: 'a purge' });
    expect(purged[0]).toEqual({
      authorization: `Bearer ${purgeToken}`,
      body: { urls: [], paths: [assetPath(5)] },
    });

    await decide('restore');
    await waitUntilStored([id]);
    const back = await ask(fleet.apiUrl + assetPath(5));
    expect([back.status, back.headers.etag]).toEqual([200, `"${rows.find((row) => row.kind === 'sticker')?.sha256}"`]);
  });

  it('reads the bucket where a host does not have the bytes, and keeps them there', async () => {
    await setFlag(0);
    otherDisk = await mkdtemp(path.join(tmpdir(), 'omnizap-other-host-'));
    const other = await fleet.start('api', { STICKER_DATA_DIR: otherDisk });
    const [row] = (await objectsOf(stickerIds[0] ?? '')).filter((one) => one.kind === 'sticker');
    const hash = row?.sha256 ?? '';

    const answer = await ask(urlOf(other) + assetPath(0));
    expect([answer.status, sha256(answer.bytes)]).toEqual([200, hash]);
    expect(sha256(await readFile(path.join(otherDisk, 'stickers/sticker', hash.slice(0, 2), hash)))).toBe(hash);
    expect([await counted(other, 'bucket', 'ok'), await counted(other, 'disk', 'ok')]).toEqual([1, 0]);
    expect((await ask(urlOf(other) + assetPath(0))).status).toBe(200);
    expect(await counted(other, 'disk', 'ok')).toBe(1);
    expect((await ask(`${urlOf(other)}/api/sticker-packs/${packKey}/download.wastickers`)).status).toBe(200);
    await other.stop();
  });

  it('hides that the bucket is away, uploads later, and uses it again by itself', async () => {
    await setFlag(100);
    await storage.kill();
    const [late = ''] = await own.addStickers(packKey, [{ bytes: drawPng(730), emojis: ['🙂'] }]);
    for (let round = 0; round < 10; round += 1) {
      const answers = await Promise.all([0, 1, 2].map((index) => ask(fleet.apiUrl + assetPath(index))));
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    }
    await waitFor(async () => (await ask(urlOf(redirecting) + assetPath(1))).status === 200, {
      ...patience,
      description: 'no more redirects',
    });
    expect(await counted(fleet.process('api'), 'bucket', 'skipped')).toBeGreaterThan(0);

    await storage.restart();
    await waitFor(async () => (await ask(urlOf(redirecting) + assetPath(1))).status === 302, {
      ...patience,
      description: 'redirects again',
    });
    const before = await counted(fleet.process('api'), 'bucket', 'ok');
    await waitFor(
      async () => {
        await ask(fleet.apiUrl + assetPath(0));
        return (await counted(fleet.process('api'), 'bucket', 'ok')) > before;
      },
      { ...patience, description: 'the bucket to be used again' },
    );
    await waitUntilStored([late]);
  });
});
