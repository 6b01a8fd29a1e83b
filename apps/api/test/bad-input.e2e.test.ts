/** What strangers, broken clients and wrong keys send: each gets the right problem document, and nothing is written. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connect } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import {
  ask,
  buildMultipart,
  buildPng,
  createCatalogueClient,
  drawPng,
  startFleet,
  testDatabaseKinds,
  waitFor,
} from '@omnizap/testkit';
import type { Answer, CatalogueClient, Fleet, PackListJson, Part } from '@omnizap/testkit';
import { createStateReader, type StorageState } from './storage-state.ts';

const mebibyte = 1_024 * 1_024;
const uuid = '00000000-0000-7000-8000-000000000000';

/** What the cases work on. */
type World = {
  fleet: Fleet;
  own: CatalogueClient;
  anybody: CatalogueClient;
  stranger: CatalogueClient;
  metricsOnly: CatalogueClient;
  revoked: CatalogueClient;
  admin: CatalogueClient;
  draft: string;
  published: string;
  removed: string;
  empty: string;
  fullPack: string;
  /** A cursor of sort=popular as the API gave it out. */
  cursor: string;
};

type Case = [title: string, send: (world: World) => Promise<Answer>, status: number, code: string];

/** 2,000 frames of one pixel (GIF89a): small to send, long to decode. */
function longGif(): Buffer {
  const header = Buffer.from([...Buffer.from('GIF89a'), 1, 0, 1, 0, 0x80, 0, 0, 0, 0, 0, 255, 255, 255]);
  const frame = Buffer.from([0x21, 0xf9, 4, 0, 5, 0, 0, 0, 0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x4c, 1, 0]);
  return Buffer.concat([header, ...Array.from({ length: 2_000 }, () => frame), Buffer.from([0x3b])]);
}

const file = (content: Buffer | string, filename = 'sticker.webp'): Part => ({
  name: 'file',
  content,
  filename,
  contentType: 'image/webp',
});
const upload =
  (...parts: Part[]) =>
  async ({ own, draft }: World) =>
    await own.upload(draft, parts);
const picture = file(drawPng(1));
const withField = (name: string, content: string) => upload(picture, { name, content });
const create =
  (body: object) =>
  async ({ own }: World) =>
    await own.call('POST', '/api/sticker-packs', { body });
const list =
  (query: string) =>
  async ({ anybody }: World) =>
    await anybody.get(`/api/sticker-packs${query}`);
const rawUpload =
  (contentType: string, body: Buffer | string) =>
  async ({ own, draft }: World) =>
    await own.call('POST', `/api/sticker-packs/${draft}/stickers`, { headers: { 'Content-Type': contentType }, body });
const changedCursor =
  (change: (cursor: Record<string, unknown>) => object) =>
  async ({ anybody, cursor }: World) => {
    const content = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')) as Record<string, unknown>;
    const changed = Buffer.from(JSON.stringify(change(content))).toString('base64url');
    return await anybody.get(`/api/sticker-packs?cursor=${changed}`);
  };
const withAuthorization =
  (value: string) =>
  async ({ anybody }: World) =>
    await anybody.call('POST', '/api/sticker-packs', { headers: { Authorization: value }, body: { name: 'Mine' } });

const files: Case[] = [
  ['a PNG that ends half way', upload(file(drawPng(2).subarray(0, 200))), 422, 'image-corrupt'],
  [
    'a WebP that ends inside its header',
    upload(file(Buffer.from('RIFF\x24\0\0\0WEBPVP8 ', 'latin1'))),
    422,
    'image-corrupt',
  ],
  ['text that is called .webp', upload(file('I am a sticker, honestly.')), 415, 'image-unsupported'],
  [
    'an SVG',
    upload(file('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', 'a.svg')),
    415,
    'image-unsupported',
  ],
  ['a PDF', upload(file('%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF', 'a.pdf')), 415, 'image-unsupported'],
  [
    'a PNG that claims 100 megapixels',
    upload(file(buildPng(10_000, 10_000, Buffer.from('x')))),
    422,
    'image-too-many-pixels',
  ],
  ['a PNG without pixels', upload(file(buildPng(0, 512, Buffer.from('x')))), 422, 'image-corrupt'],
  ['an animation of 2,000 frames', upload(file(longGif(), 'a.gif')), 422, 'image-too-many-frames'],
  ['an empty file', upload(file('')), 422, 'image-corrupt'],
  ['a file of 21 MiB', upload(file(Buffer.alloc(21 * mebibyte))), 413, 'payload-too-large'],
  [
    'a file of 21 MiB that does not say its length',
    async ({ own, draft }) => {
      const { body, contentType } = buildMultipart([file(Buffer.alloc(21 * mebibyte))]);
      const pieces = Array.from({ length: Math.ceil(body.length / mebibyte) }, (_, index) =>
        body.subarray(index * mebibyte, (index + 1) * mebibyte),
      );
      return await own.call('POST', `/api/sticker-packs/${draft}/stickers`, {
        headers: { 'Content-Type': contentType },
        body: pieces,
      });
    },
    413,
    'payload-too-large',
  ],
];

const forms: Case[] = [
  ['a file in a field of another name', upload({ ...picture, name: 'image' }), 422, 'validation-failed'],
  ['two files', upload(picture, picture), 422, 'validation-failed'],
  ['a form without a file', upload({ name: 'emojis', content: '[]' }), 422, 'validation-failed'],
  ['a field that is not known', withField('owner_id', 'me'), 422, 'validation-failed'],
  [
    'a field twice',
    upload(picture, { name: 'emojis', content: '[]' }, { name: 'emojis', content: '[]' }),
    422,
    'validation-failed',
  ],
  ['a bare picture instead of a form', rawUpload('image/png', drawPng(3)), 415, 'unsupported-media-type'],
  ['a form without a boundary', rawUpload('multipart/form-data', 'hello'), 400, 'bad-request'],
  [
    'a form that ends in the middle',
    rawUpload(
      'multipart/form-data; boundary=x',
      '--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc',
    ),
    400,
    'bad-request',
  ],
  ['a form that is none', rawUpload('multipart/form-data; boundary=x', 'nothing of the kind'), 400, 'bad-request'],
  ['emojis that are not JSON', withField('emojis', '😀'), 422, 'validation-failed'],
  ['emojis that are no array', withField('emojis', '{"a":"😀"}'), 422, 'validation-failed'],
  ['emojis that are words', withField('emojis', '["smile"]'), 422, 'validation-failed'],
  ['two emojis in one string', withField('emojis', '["😀😀"]'), 422, 'validation-failed'],
  ['too many emojis', withField('emojis', JSON.stringify([...'😀😁😂🤣😃😄😅😆😉'])), 422, 'validation-failed'],
  ['a label of 10,000 characters', withField('accessibility_label', 'x'.repeat(10_000)), 422, 'validation-failed'],
  ['a label of 256 characters', withField('accessibility_label', 'x'.repeat(256)), 422, 'validation-failed'],
  ['a label with a NUL byte', withField('accessibility_label', 'a\0b'), 422, 'validation-failed'],
];

const bodies: Case[] = [
  [
    'malformed JSON',
    async ({ own }) =>
      await own.call('POST', '/api/sticker-packs', {
        body: '{"name":',
        headers: { 'Content-Type': 'application/json' },
      }),
    400,
    'malformed-json',
  ],
  [
    'JSON that is no object',
    async ({ own }) =>
      await own.call('POST', '/api/sticker-packs', { body: '[]', headers: { 'Content-Type': 'application/json' } }),
    422,
    'validation-failed',
  ],
  [
    'another content type',
    async ({ own }) =>
      await own.call('POST', '/api/sticker-packs', {
        body: 'name=x',
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      }),
    415,
    'unsupported-media-type',
  ],
  [
    'an encoding that nobody knows',
    async ({ own }) =>
      await own.call('POST', '/api/sticker-packs', {
        body: '{}',
        headers: { 'Content-Type': 'application/json', 'Content-Encoding': 'pony' },
      }),
    415,
    'unsupported-media-type',
  ],
  ['JSON of 70 KiB', create({ name: 'x'.repeat(70 * 1_024) }), 413, 'payload-too-large'],
  [
    'JSON that is 70 KiB when unpacked',
    async ({ own }) =>
      await own.call('POST', '/api/sticker-packs', {
        body: gzipSync(JSON.stringify({ name: 'x'.repeat(70 * 1_024) })),
        headers: { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' },
      }),
    413,
    'payload-too-large',
  ],
  ['no body', async ({ own }) => await own.call('POST', '/api/sticker-packs'), 415, 'unsupported-media-type'],
  ['a pack without a name', create({ publisher: 'x' }), 422, 'validation-failed'],
  ['a name of blanks', create({ name: ' \t ' }), 422, 'validation-failed'],
  ['a name of 10,000 characters', create({ name: 'x'.repeat(10_000) }), 422, 'validation-failed'],
  ['a name with a NUL byte', create({ name: 'a\0b' }), 422, 'validation-failed'],
  ['a name with half a character', create({ name: 'a\ud800b' }), 422, 'validation-failed'],
  ['a field that is not known', create({ name: 'x', owner_id: 'somebody' }), 422, 'validation-failed'],
  ['a visibility that is not known', create({ name: 'x', visibility: 'everywhere' }), 422, 'validation-failed'],
  [
    '21 tags',
    create({ name: 'x', tags: Array.from({ length: 21 }, (_, index) => `t${index}`) }),
    422,
    'validation-failed',
  ],
  [
    'a key for a scope that is not known',
    async ({ admin }) => await admin.call('POST', '/api/admin/api-keys', { body: { owner_id: 'x', scopes: ['root'] } }),
    422,
    'validation-failed',
  ],
  [
    'a key for an owner with a NUL byte',
    async ({ admin }) =>
      await admin.call('POST', '/api/admin/api-keys', { body: { owner_id: 'x\0', scopes: ['metrics'] } }),
    422,
    'validation-failed',
  ],
];

const access: Case[] = [
  [
    'no key',
    async ({ anybody }) => await anybody.call('POST', '/api/sticker-packs', { body: { name: 'x' } }),
    401,
    'unauthorized',
  ],
  ['an unknown key', withAuthorization(`Bearer oz_0123456789abcdef_${'A'.repeat(43)}`), 401, 'unauthorized'],
  ['a key that is no key', withAuthorization('Bearer x'), 401, 'unauthorized'],
  ['another scheme', withAuthorization('Basic eDp5'), 401, 'unauthorized'],
  ['a bearer without a key', withAuthorization('Bearer '), 401, 'unauthorized'],
  ['a key of 10,000 characters', withAuthorization(`Bearer ${'A'.repeat(10_000)}`), 401, 'unauthorized'],
  [
    'a revoked key',
    async ({ revoked }) => await revoked.call('POST', '/api/sticker-packs', { body: { name: 'x' } }),
    401,
    'unauthorized',
  ],
  [
    'a wrong key where none is needed',
    async ({ anybody, published }) =>
      await anybody.get(`/api/sticker-packs/${published}`, { Authorization: 'Bearer x' }),
    401,
    'unauthorized',
  ],
  [
    'a key without the scope',
    async ({ metricsOnly }) => await metricsOnly.call('POST', '/api/sticker-packs', { body: { name: 'x' } }),
    403,
    'forbidden',
  ],
  [
    'an owner who makes keys',
    async ({ own }) => await own.call('POST', '/api/admin/api-keys', { body: { owner_id: 'x', scopes: ['admin'] } }),
    403,
    'forbidden',
  ],
  [
    'an upload into another owner’s draft',
    async ({ stranger, draft }) => await stranger.addSticker(draft, { bytes: drawPng(4) }),
    404,
    'pack-not-found',
  ],
  [
    'an upload into another owner’s published pack',
    async ({ stranger, published }) => await stranger.addSticker(published, { bytes: drawPng(4) }),
    403,
    'forbidden',
  ],
  [
    'another owner who publishes a draft',
    async ({ stranger, draft }) => await stranger.publish(draft),
    404,
    'pack-not-found',
  ],
  [
    'another owner who deletes a draft',
    async ({ stranger, draft }) => await stranger.remove(draft),
    404,
    'pack-not-found',
  ],
  [
    'another owner who deletes a published pack',
    async ({ stranger, published }) => await stranger.remove(published),
    403,
    'forbidden',
  ],
  [
    'another owner who looks at a draft',
    async ({ stranger, draft }) => await stranger.get(`/api/sticker-packs/${draft}`),
    404,
    'pack-not-found',
  ],
  [
    'a key to revoke that is none',
    async ({ admin }) => await admin.call('DELETE', '/api/admin/api-keys/0123456789abcdef'),
    404,
    'not-found',
  ],
];

const lists: Case[] = [
  ['a cursor that is none', list('?cursor=hello'), 400, 'invalid-cursor'],
  ['an empty cursor', list('?cursor='), 400, 'invalid-parameter'],
  ['a cursor with a NUL byte', list('?cursor=%00'), 400, 'invalid-cursor'],
  ['a cursor of 300 characters', list(`?cursor=${'A'.repeat(300)}`), 400, 'invalid-parameter'],
  [
    'half a cursor',
    async ({ anybody, cursor }) => await anybody.get(`/api/sticker-packs?cursor=${cursor.slice(0, cursor.length / 2)}`),
    400,
    'invalid-cursor',
  ],
  ['a cursor before the beginning', changedCursor((cursor) => ({ ...cursor, p: -1 })), 400, 'invalid-cursor'],
  ['a cursor between two packs', changedCursor((cursor) => ({ ...cursor, p: 0.5 })), 400, 'invalid-cursor'],
  ['a cursor with something added', changedCursor((cursor) => ({ ...cursor, q: 'x' })), 400, 'invalid-cursor'],
  ['a cursor of another format', changedCursor((cursor) => ({ ...cursor, v: 1 })), 400, 'invalid-cursor'],
  [
    'a cursor of a generation that never was',
    changedCursor((cursor) => ({ ...cursor, g: 999_999 })),
    410,
    'snapshot-expired',
  ],
  [
    'a cursor of another sort',
    async ({ anybody, cursor }) => await anybody.get(`/api/sticker-packs?sort=likes&cursor=${cursor}`),
    400,
    'invalid-cursor',
  ],
  [
    'a cursor of other filters',
    async ({ anybody, cursor }) => await anybody.get(`/api/sticker-packs?category=love&cursor=${cursor}`),
    400,
    'invalid-cursor',
  ],
  ['an empty query', list('?q='), 400, 'invalid-parameter'],
  ['a query of 101 characters', list(`?q=${'a'.repeat(101)}`), 400, 'invalid-parameter'],
  ['a query with a NUL byte', list('?q=a%00b'), 400, 'invalid-parameter'],
  ['two queries', list('?q=a&q=b'), 400, 'invalid-parameter'],
  ['a category that is not known', list('?category=love&category=cars'), 400, 'invalid-parameter'],
  ['twenty-one categories', list(`?${'category=love&'.repeat(21)}`), 400, 'invalid-parameter'],
  ['include_sensitive=1', list('?include_sensitive=1'), 400, 'invalid-parameter'],
  ...['0', '61', 'abc', '1.5', '-1', '', '1e1', '10000000000000000000'].map((limit): Case => [
    `limit=${limit}`,
    list(`?limit=${limit}`),
    400,
    'invalid-parameter',
  ]),
  ['limit twice', list('?limit=1&limit=2'), 400, 'invalid-parameter'],
  ['a sort that is not known', list('?sort=best'), 400, 'invalid-parameter'],
  ['a sort with a NUL byte', list('?sort=popular%00'), 400, 'invalid-parameter'],
  ['a parameter that is not known', list('?colour=red'), 400, 'invalid-parameter'],
  [
    'a parameter where none is taken',
    async ({ anybody, published }) => await anybody.get(`/api/sticker-packs/${published}?x=1`),
    400,
    'invalid-parameter',
  ],
];

const paths: Case[] = [
  ['a path that is not known', async ({ anybody }) => await anybody.get('/api/sticker-pack'), 404, 'not-found'],
  [
    'a path below one that is known',
    async ({ anybody, published }) => await anybody.get(`/api/sticker-packs/${published}/a/b`),
    404,
    'not-found',
  ],
  [
    'a path that cannot be decoded',
    async ({ anybody }) => await anybody.get('/api/sticker-packs/%E0%A4%A'),
    400,
    'bad-request',
  ],
  [
    'a pack key with a NUL byte',
    async ({ anybody }) => await anybody.get('/api/sticker-packs/%00'),
    404,
    'pack-not-found',
  ],
  [
    'a pack key of 10,000 characters',
    async ({ anybody }) => await anybody.get(`/api/sticker-packs/${'x'.repeat(10_000)}`),
    404,
    'pack-not-found',
  ],
  [
    'a URL of 20,000 characters',
    async ({ anybody }) => await anybody.get(`/api/sticker-packs?cursor=${'x'.repeat(20_000)}`),
    431,
    'headers-too-large',
  ],
  [
    'a pack key that climbs',
    async ({ anybody }) => await anybody.get('/api/sticker-packs/..%2F..%2Fetc%2Fpasswd'),
    404,
    'pack-not-found',
  ],
  [
    'a sticker id that climbs',
    async ({ anybody, published }) => await anybody.get(`/api/sticker-packs/${published}/stickers/..%2F..%2Fx.webp`),
    404,
    'sticker-not-found',
  ],
  [
    'an unknown sticker',
    async ({ anybody, published }) => await anybody.get(`/api/sticker-packs/${published}/stickers/${uuid}.webp`),
    404,
    'sticker-not-found',
  ],
  [
    'a variant that is not known',
    async ({ anybody, published }) =>
      await anybody.get(`/api/sticker-packs/${published}/stickers/${uuid}.webp?variant=original`),
    400,
    'invalid-parameter',
  ],
  [
    'an unknown pack',
    async ({ anybody }) => await anybody.get('/api/sticker-packs/none-000000'),
    404,
    'pack-not-found',
  ],
  [
    'an upload into an unknown pack',
    async ({ own }) => await own.addSticker('none-000000', { bytes: drawPng(5) }),
    404,
    'pack-not-found',
  ],
  [
    'an open of an unknown pack',
    async ({ anybody }) => await anybody.interact('none-000000', 'open'),
    404,
    'pack-not-found',
  ],
  ['a like of a draft', async ({ anybody, draft }) => await anybody.interact(draft, 'like'), 404, 'pack-not-found'],
  ['a deleted pack', async ({ own, removed }) => await own.get(`/api/sticker-packs/${removed}`), 404, 'pack-not-found'],
  [
    'an upload into a deleted pack',
    async ({ own, removed }) => await own.addSticker(removed, { bytes: drawPng(5) }),
    404,
    'pack-not-found',
  ],
  ['a deletion of a deleted pack', async ({ own, removed }) => await own.remove(removed), 404, 'pack-not-found'],
  ['the publication of an empty pack', async ({ own, empty }) => await own.publish(empty), 409, 'pack-empty'],
  [
    'a 31st sticker',
    async ({ own, fullPack }) => await own.addSticker(fullPack, { bytes: drawPng(6, 16) }),
    409,
    'pack-full',
  ],
];

const wrongMethods: [method: string, path: (world: World) => string, allow: string][] = [
  ['PUT', () => '/api/sticker-packs', 'GET, HEAD, POST, OPTIONS'],
  ['POST', ({ published }) => `/api/sticker-packs/${published}`, 'GET, HEAD, DELETE, PATCH, OPTIONS'],
  ['GET', ({ published }) => `/api/sticker-packs/${published}/publish`, 'POST, OPTIONS'],
  ['POST', ({ published }) => `/api/sticker-packs/${published}/stickers/${uuid}.webp`, 'GET, HEAD, OPTIONS'],
  ['DELETE', () => '/openapi.json', 'GET, HEAD, OPTIONS'],
];

describe.each(testDatabaseKinds())('bad input on %s', (kind) => {
  let world: World;
  let readState: () => Promise<StorageState>;

  beforeAll(async () => {
    const fleet = await startFleet(kind, { processes: ['api'] });
    readState = await createStateReader(fleet);
    const client = async (scopes?: string[]) =>
      createCatalogueClient(fleet.apiUrl, (await fleet.createOwner(scopes)).key);
    const own = await client();
    const anybody = createCatalogueClient(fleet.apiUrl);
    const admin = createCatalogueClient(fleet.apiUrl, fleet.adminToken);
    const gone = await fleet.createOwner();
    expect((await admin.call('DELETE', `/api/admin/api-keys/${gone.keyId}`)).status).toBe(204);
    const [draft = '', published = '', removed = '', empty = '', fullPack = ''] = await Promise.all(
      ['Draft', 'Published', 'Removed', 'Empty', 'Full'].map(async (name) => await own.createPack({ name })),
    );
    await own.addStickers(published, [{ bytes: drawPng(7, 16) }]);
    expect((await own.publish(published)).status).toBe(200);
    expect((await own.remove(removed)).status).toBe(204);
    // The key that viewers are hashed with is made for the first of them.
    expect((await anybody.interact(published, 'open')).status).toBe(200);
    await own.addStickers(
      fullPack,
      Array.from({ length: 28 }, (_, index) => ({ bytes: drawPng(100 + index, 16) })),
    );
    world = {
      fleet,
      own,
      anybody,
      admin,
      stranger: await client(),
      metricsOnly: await client(['metrics']),
      revoked: createCatalogueClient(fleet.apiUrl, gone.key),
      draft,
      published,
      removed,
      empty,
      fullPack,
      cursor: await publishGeneration(fleet, 1),
    };
  }, 180_000);
  afterAll(async () => await world?.fleet.stop(), 60_000);

  /** What the maintenance process would write: two packs in one generation. Returns the cursor of its second page. */
  async function publishGeneration({ database, apiUrl }: Fleet, generation: number): Promise<string> {
    const ids = await database.knex('sticker_pack').orderBy('id').limit(2).pluck<string[]>('id');
    const order = Buffer.from(new Uint32Array([0, 1]).buffer);
    const sorts = ['popular', 'trending', 'recent', 'likes', 'downloads', 'rating'];
    const parts = {
      ids: Buffer.from(ids.join('').replaceAll('-', ''), 'hex'),
      ...{
        names: Buffer.from('[]'),
        summary: Buffer.from('{}'),
        categories: Buffer.alloc(16),
        traits: Buffer.alloc(2),
        creators: Buffer.alloc(16),
      },
      ...{ updated: Buffer.alloc(16), score: Buffer.alloc(8), trend: Buffer.alloc(8) },
      ...Object.fromEntries(sorts.map((sort) => [`order:${sort}`, order])),
    };
    await database.knex('ranking_generation').insert({ generation, pack_count: ids.length, refreshed_at: new Date() });
    await database
      .knex('ranking_generation_chunk')
      .insert(Object.entries(parts).map(([sort, bytes]) => ({ generation, sort, chunk: 0, pack_ids: bytes })));
    const list = await waitFor(async () => {
      const answer = await ask(`${apiUrl}/api/sticker-packs?limit=1`);
      return answer.json<PackListJson>().meta.generation === generation && answer.json<PackListJson>();
    });
    return list.pagination.next_cursor ?? '';
  }

  it('lets exactly two of ten parallel uploads into a pack of 28, each at a place of its own', async () => {
    const { own, fullPack, fleet } = world;

    const answers = await Promise.all(
      Array.from(
        { length: 10 },
        async (_, index) => await own.addSticker(fullPack, { bytes: drawPng(200 + index, 16) }),
      ),
    );

    expect(answers.map((answer) => answer.status).toSorted()).toEqual([
      202,
      202,
      ...Array.from({ length: 8 }, () => 409),
    ]);
    for (const refused of answers.filter((answer) => answer.status === 409)) expectProblem(refused, 409, 'pack-full');
    const positions = await fleet.database
      .knex('sticker_pack_item as i')
      .join('sticker_pack as p', 'p.id', 'i.pack_id')
      .where({ 'p.pack_key': fullPack })
      .orderBy('i.position')
      .pluck<number[]>('i.position');
    expect(positions).toEqual(Array.from({ length: 30 }, (_, index) => index));
  });

  describe.each([
    ['files', files],
    ['forms', forms],
    ['bodies', bodies],
    ['access', access],
    ['lists', lists],
    ['paths', paths],
  ] as const)('%s', (_group, cases) => {
    it.each(cases)('refuses %s', async (_title, send, status, code) => {
      const before = await readState();

      const answer = await send(world);

      expectProblem(answer, status, code);
      expect(await readState()).toEqual(before);
    });
  });

  it('tells 401 from a scheme that would help', async () => {
    const answer = await world.anybody.call('POST', '/api/sticker-packs', { body: { name: 'x' } });

    expect(answer.headers['www-authenticate']).toBe('Bearer');
  });

  it.each(wrongMethods)('answers %s where it is not possible with 405 and what is', async (method, path, allow) => {
    const before = await readState();

    const answer = await world.own.call(method, path(world));

    expectProblem(answer, 405, 'method-not-allowed');
    expect(answer.headers.allow).toBe(allow);
    expect(await readState()).toEqual(before);
  });

  it('does not answer 304 where there is no ETag', async () => {
    const answer = await world.anybody.get('/api/sticker-packs/recommendations', { 'If-None-Match': '*' });

    expect([answer.status, answer.headers.etag]).toEqual([200, undefined]);
  });

  it('answers what is no HTTP with a problem, and ends the connection', async () => {
    const { port, hostname } = new URL(world.fleet.apiUrl);
    const socket = connect(Number(port), hostname);
    socket.write('HELLO\r\n\r\n');

    const [head = '', body = ''] = (await textOf(socket)).split('\r\n\r\n');

    expect(head).toMatch(/^HTTP\/1\.1 400 Bad Request\r\nContent-Type: application\/problem\+json; charset=utf-8\r\n/);
    expect(JSON.parse(body)).toMatchObject({ status: 400, code: 'bad-request' });
    expect(head).toContain(`X-Request-Id: ${(JSON.parse(body) as { request_id: string }).request_id}`);
  });

  it('answers a cursor whose generation is no longer kept with 410', async () => {
    const { fleet, anybody, cursor } = world;
    expect((await anybody.get(`/api/sticker-packs?cursor=${cursor}`)).status).toBe(200);
    await publishGeneration(fleet, 2);
    expect((await anybody.get(`/api/sticker-packs?cursor=${cursor}`)).status).toBe(200);

    await fleet.database.knex('ranking_generation').where({ generation: 1 }).delete();

    expectProblem(await anybody.get(`/api/sticker-packs?cursor=${cursor}`), 410, 'snapshot-expired');
  });

  it('still serves after all of that', async () => {
    const { fleet, own } = world;
    const packKey = await own.createPack({ name: 'Afterwards' });
    expect((await own.addSticker(packKey, { bytes: drawPng(8), emojis: ['😀'] })).status).toBe(202);
    expect((await readState()).files.filter((file) => file.startsWith('stickers/tmp/'))).toEqual([]);
    const serious = fleet
      .process('api')
      .output()
      .split('\n')
      .filter((line) => /"level":"(warn|error|fatal)"/.test(line));
    expect(serious).toEqual([]);
  });
});

function expectProblem(answer: Answer, status: number, code: string): void {
  const text = answer.bytes.toString('utf8');
  expect([answer.status, answer.headers['content-type'], text]).toEqual([
    status,
    'application/problem+json; charset=utf-8',
    expect.stringContaining(`"code":"${code}"`),
  ]);
  const problem = answer.json<Record<string, unknown>>();
  expect(problem).toEqual({
    type: expect.stringMatching(/^\S+$/),
    title: expect.stringMatching(/\S/),
    status,
    detail: expect.stringMatching(/\S/),
    code,
    request_id: answer.headers['x-request-id'],
    ...(problem.errors === undefined ? {} : { errors: expect.any(Array) }),
  });
  expect(problem.request_id).toMatch(/^[A-Za-z0-9._-]{1,128}$/);
  if (status === 422 && code === 'validation-failed') {
    for (const field of (problem.errors ?? []) as object[]) expect(Object.keys(field)).toEqual(['pointer', 'detail']);
  }
  expect(answer.headers['cache-control']).toBe('no-store');
}
