import { expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { problemOf } from './asset-client.ts';

const bytes = Buffer.alloc(1_000, 'sticker');
const sha256 = createHash('sha256').update(bytes).digest('hex');
const target = { path: '/a.webp', packKey: 'a', sha256, originalSha256: sha256 };
const here = { target, whole: bytes, isFromApi: true };
const headers = { etag: `"${sha256}"` };
const right = { status: 200, headers, bytes };
const part = { status: 206, headers, bytes: bytes.subarray(0, 200) };
const known = { status: 304, headers, bytes: Buffer.alloc(0) };

it('takes the right bytes, a right part and a 304', () => {
  expect([problemOf(right, 'whole', here), problemOf(part, 'part', here), problemOf(known, 'known', here)]).toEqual([
    ...[null, null, null],
  ]);
  expect(problemOf({ ...right, headers: {} }, 'whole', { ...here, isFromApi: false })).toBeNull();
});

it.each([
  ['another status', { ...right, status: 404 }, 'whole'],
  ['all where a part was asked for', right, 'part'],
  ['half of the bytes', { ...right, bytes: bytes.subarray(0, 500) }, 'whole'],
  ['other bytes', { ...right, bytes: Buffer.alloc(1_000, 'x') }, 'whole'],
  ['another part', { ...part, bytes: bytes.subarray(1, 201) }, 'part'],
  ['another ETag', { ...right, headers: { etag: '"x"' } }, 'whole'],
  ['no ETag', { ...known, headers: {} }, 'known'],
  ['bytes where the client has them', { ...known, bytes }, 'known'],
] as const)('says what is wrong with %s', (_title, answer, way) =>
  expect(problemOf(answer, way, here)).toEqual(expect.any(String)),
);
