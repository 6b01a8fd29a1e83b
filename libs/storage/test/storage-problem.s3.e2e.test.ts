/** What an operator is told of the usual mistakes by a service that checks signatures: OpenStack Swift. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { fork, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import { startObjectStorage, type ObjectStorage } from '@omnizap/testkit';
import type { ObjectStorageSettings } from '../src/object-storage-settings.ts';
import type { Asked, Told } from './asker.ts';

const minute = 60_000;
let storage: ObjectStorage;
let asker: ChildProcess;

beforeAll(async () => {
  asker = fork(path.join(import.meta.dirname, 'asker.ts'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  storage = await startObjectStorage();
}, 120_000);
afterAll(async () => {
  asker.kill();
  await storage?.stop();
}, 60_000);

async function told(
  ask: Asked['ask'],
  wrong: Partial<ObjectStorageSettings> = {},
  clockAheadMs = 0,
): Promise<Told['problem']> {
  const { endpoint, region, accessKeyId, secretAccessKey, bucket } = storage;
  const settings: ObjectStorageSettings = {
    ...{ endpoint, region, accessKeyId, secretAccessKey, bucket, forcePathStyle: true, keyPrefix: 'stickers' },
    ...{ mode: 'proxy', cdnBaseUrl: null, signedUrlTtlSeconds: 300, ...wrong },
  };
  const sha256 = createHash('sha256').update('nothing of the kind').digest('hex');
  const answer = once(asker, 'message') as Promise<[Told]>;
  asker.send({ ask, sha256, sizeBytes: 19, settings, clockAheadMs } satisfies Asked);
  const [{ problem }] = await answer;
  return problem;
}

it('finds nothing wrong where nothing is, and misses an object that is not there', async () => {
  expect([await told('list'), await told('head')]).toEqual([null, null]);
  expect((await told('read'))?.code).toBe('missing');
});

it.each<[string, Partial<ObjectStorageSettings>, string]>([
  ['a wrong secret', { secretAccessKey: 'not-the-secret-of-that-key' }, 'wrong-secret'],
  // To Swift, a key that it does not know has no secret that would fit.
  ['an unknown key', { accessKeyId: 'nobody:nowhere' }, 'wrong-secret'],
  ['a bucket that is not there', { bucket: 'no-such-bucket' }, 'no-bucket'],
  ['another region', { region: 'eu-west-9' }, 'wrong-region'],
])('tells %s', async (_what, wrong, code) => {
  for (const ask of ['list', 'read'] as const) expect([ask, await told(ask, wrong)]).toMatchObject([ask, { code }]);
});

it('says which region it is, and to HEAD, whose answers have no words, what it may be', async () => {
  expect(await told('list', { region: 'eu-west-9' })).toMatchObject({ region: storage.region });
  expect((await told('head', { region: 'eu-west-9' }))?.text).toContain('another region');
  expect((await told('head', { secretAccessKey: 'not-the-secret-of-that-key' }))?.code).toBe('forbidden');
  expect((await told('head', { bucket: 'no-such-bucket' }))?.code).toBe('no-bucket');
});

it('tells a clock that is off by twenty minutes, and which way', async () => {
  const text = (way: string): string =>
    `The clock of this host differs from the service's by 20 minutes (ours is ${way}).`;
  for (const ask of ['list', 'head', 'read'] as const) {
    expect(await told(ask, {}, 20 * minute)).toMatchObject({ code: 'clock-skew', text: text('ahead') });
    expect(await told(ask, {}, -20 * minute)).toMatchObject({ code: 'clock-skew', text: text('behind') });
  }
});

it('tells that it is gone', async () => {
  await storage.kill();
  expect(await told('list')).toMatchObject({ code: 'unreachable', text: expect.stringContaining('refuses') });
});
