/** A file becomes a pack, with all of its stickers or not at all; and what owners hear of the validator on the way. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  buildZip,
  createCatalogueClient,
  drawApng,
  drawPng,
  startFleet,
  testDatabaseKinds,
  waitFor,
  buildMultipart,
} from '@omnizap/testkit';
import type { Answer, CatalogueClient, Fleet, PackSummaryJson, ZipPart } from '@omnizap/testkit';
import { complaintsOf, readWastickers, unzip } from './independent-whatsapp.ts';

type FindingJson = {
  rule: string;
  severity: string;
  remedy: string;
  fixed_automatically: boolean;
  subject: string | null;
};
type Imported = { data: PackSummaryJson & { findings: FindingJson[] } };

const rulesOf = (answer: Answer): string[] =>
  answer.json<{ data: { findings: FindingJson[] } }>().data.findings.map(({ rule }) => rule);
const codeOf = (answer: Answer): string => answer.json<{ code: string }>().code;

describe.each(testDatabaseKinds())('import on %s', (kind) => {
  let fleet: Fleet;
  let own: CatalogueClient;

  beforeAll(async () => {
    fleet = await startFleet(kind);
    own = createCatalogueClient(fleet.apiUrl, (await fleet.createOwner()).key);
  }, 180_000);
  afterAll(async () => await fleet?.stop(), 60_000);

  const send = async (zip: Buffer, fields: Record<string, string> = {}, client = own): Promise<Answer> => {
    const { body, contentType } = buildMultipart([
      { name: 'file', content: zip, filename: 'pack.wastickers', contentType: 'application/octet-stream' },
      ...Object.entries(fields).map(([name, content]) => ({ name, content })),
    ]);
    return await client.call('POST', '/api/sticker-packs/import', { body, headers: { 'Content-Type': contentType } });
  };
  const rows = async (): Promise<number[]> =>
    await Promise.all(
      ['sticker_pack', 'sticker_pack_item', 'sticker_asset'].map(async (table) =>
        Number((await fleet.database.knex(table).count({ n: '*' }).first<{ n: number }>())?.n),
      ),
    );
  const ready = async (packKey: string): Promise<void> => {
    await waitFor(async () => (await own.pack(packKey)).stickers.every(({ status }) => status === 'ready'), {
      timeoutMs: 60_000,
      description: `the stickers of ${packKey} ready`,
    });
  };

  it('takes back what it handed out: the same pictures, words and emojis', async () => {
    const packKey = await own.createPack({ name: 'Round trip', publisher: 'Ana' });
    await own.addStickers(
      packKey,
      [1, 2, 3, 4].map((seed) => ({ bytes: drawPng(seed), emojis: ['🐱', '🎉'], label: `cat ${seed}` })),
    );
    await ready(packKey);

    for (const extension of ['wastickers', 'whatsapp.zip']) {
      const exported = await own.get(`/api/sticker-packs/${packKey}/download.${extension}`);
      expect(exported.status).toBe(200);
      const answer = await send(exported.bytes);
      expect([answer.status, rulesOf(answer)]).toEqual([201, []]);
      const { data } = answer.json<Imported>();
      expect(data).toMatchObject({ name: 'Round trip', publisher: 'Ana', status: 'draft', sticker_count: 4 });
      expect(answer.headers.location).toBe(`/api/sticker-packs/${data.pack_key}`);
      const { stickers } = await own.pack(data.pack_key);
      expect(stickers.map(({ emojis, accessibility_label }) => [emojis, accessibility_label])).toEqual(
        [1, 2, 3, 4].map((seed) => [['🐱', '🎉'], `cat ${seed}`]),
      );

      await ready(data.pack_key);
      const again = await own.get(`/api/sticker-packs/${data.pack_key}/download.wastickers`);
      expect(complaintsOf(readWastickers(again.bytes))).toEqual([]);
    }
  });

  const contents = (packs: { id: string; name: string; files: string[] }[]): ZipPart => ({
    name: 'contents.json',
    bytes: JSON.stringify({
      sticker_packs: packs.map(({ id, name, files }) => ({
        ...{ identifier: id, name, publisher: 'P', tray_image_file: 'tray.png', image_data_version: '1' },
        stickers: files.map((image_file) => ({ image_file, emojis: ['😀'] })),
      })),
    }),
  });
  const picture = (name: string, seed: number): ZipPart => ({ name, bytes: drawPng(seed) });

  it('takes the pack that is named of several, pictures of any format, and says what is not as it should be', async () => {
    const zip = buildZip([
      contents([
        { id: '1', name: 'First', files: ['a.webp'] },
        { id: '2', name: 'S'.repeat(125), files: ['b.webp', 'c.webp', 'd.webp'] },
      ]),
      picture('1/a.webp', 50),
      picture('2/b.webp', 51),
      { name: '2/c.webp', bytes: drawApng([52, 53], 64, 100) },
      picture('2/d.webp', 51),
      { name: '__MACOSX/2/._b.webp', bytes: 'litter' },
    ]);

    const undecided = await send(zip);
    expect([undecided.status, codeOf(undecided)]).toEqual([422, 'pack-file-invalid']);
    const answer = await send(zip, { identifier: '2' });
    expect(answer.status).toBe(201);
    const { data } = answer.json<Imported>();
    expect([data.sticker_count, data.name.length]).toEqual([2, 120]);
    expect(new Set(rulesOf(answer))).toEqual(
      new Set([
        ...['text-shortened', 'pack-stickers-min', 'pack-mixed', 'tray-missing', 'sticker-duplicate'],
        ...['webp-format', 'canvas-size'],
      ]),
    );
    expect(data.findings.find(({ rule }) => rule === 'sticker-duplicate')?.subject).toBe('2/d.webp');
  });

  const wastickers = (...parts: ZipPart[]): Buffer =>
    buildZip([{ name: 'title.txt', bytes: 'T' }, { name: 'author.txt', bytes: 'A' }, ...parts]);
  const stickerParts = (count: number): ZipPart[] =>
    Array.from({ length: count }, (_, index) => picture(`${index}.webp`, 100 + index));

  it.each<[string, () => Buffer, number, string]>([
    ['what is no zip file', () => drawPng(1), 422, 'pack-file-invalid'],
    ['a zip of something else', () => buildZip([{ name: 'a.txt', bytes: 'a' }]), 422, 'pack-file-invalid'],
    ['a pack without stickers', () => wastickers(), 422, 'pack-file-invalid'],
    ['31 stickers', () => wastickers(...stickerParts(31)), 422, 'pack-file-invalid'],
    ['a contents.json that is none', () => buildZip([{ name: 'contents.json', bytes: '{' }]), 422, 'pack-file-invalid'],
    [
      'stickers that are not there',
      () => buildZip([contents([{ id: '1', name: 'N', files: ['a.webp'] }])]),
      422,
      'pack-file-invalid',
    ],
    ['a file outside of the folder', () => wastickers(picture('../a.webp', 1)), 422, 'pack-file-unsafe'],
    ['a link', () => wastickers({ name: 'a.webp', bytes: '/etc/passwd', mode: 0o120777 }), 422, 'pack-file-unsafe'],
    [
      'a bomb',
      () => wastickers({ name: 'a.webp', bytes: Buffer.alloc(19 * 1_048_576), deflate: true }),
      422,
      'pack-file-unsafe',
    ],
    ['a zip within the zip', () => wastickers({ name: 'a.webp', bytes: wastickers() }), 415, 'image-unsupported'],
    [
      'a broken sticker behind good ones',
      () => wastickers(...stickerParts(3), { name: 'z.webp', bytes: drawPng(1).subarray(0, 60) }),
      422,
      'image-corrupt',
    ],
  ])('refuses %s, and leaves nothing of it', async (_what, zip, status, code) => {
    const before = await rows();
    const answer = await send(zip());

    expect([answer.status, codeOf(answer)]).toEqual([status, code]);
    expect(await rows()).toEqual(before);
  });

  it('refuses more than 20 MiB, a form without a file, and whoever has no key', async () => {
    const large = await send(Buffer.alloc(20 * 1_048_576 + 1));
    expect([large.status, codeOf(large)]).toEqual([413, 'payload-too-large']);
    expect((await own.call('POST', '/api/sticker-packs/import', { body: {} })).status).toBe(415);
    const anybody = await send(wastickers(...stickerParts(3)), {}, createCatalogueClient(fleet.apiUrl));
    expect(anybody.status).toBe(401);
  });

  it('makes one whole pack of each of ten imports of the same file at the same time', async () => {
    const zip = wastickers(...stickerParts(5));
    const [packsBefore = 0, itemsBefore = 0] = await rows();
    const answers = await Promise.all(Array.from({ length: 10 }, () => send(zip)));

    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
    const [packs = 0, items = 0] = await rows();
    expect([packs - packsBefore, items - itemsBefore]).toEqual([10, 50]);
  });

  it('tells an owner on upload and on publishing what is mended, and what they have to do', async () => {
    const packKey = await own.createPack({ name: 'Judged' });
    const small = await own.addSticker(packKey, { bytes: drawPng(900) });
    expect(small.status).toBe(202);
    const { findings } = small.json<{ data: { findings: FindingJson[] } }>().data;
    expect(findings.map(({ rule }) => rule)).toEqual(['webp-format', 'canvas-size', 'sticker-emojis']);
    expect(findings.every((one) => one.fixed_automatically && one.remedy !== '')).toBe(true);
    await own.addSticker(packKey, { bytes: drawApng([901, 902], 96, 100), emojis: ['😀'] });
    const published = await own.publish(packKey);

    expect(published.status).toBe(200);
    const blocking = published
      .json<Imported>()
      .data.findings.filter((one) => one.severity === 'error' && !one.fixed_automatically);
    expect(blocking.map(({ rule }) => rule)).toEqual(['pack-stickers-min', 'pack-mixed']);

    await ready(packKey);
    const sticker = (await own.pack(packKey)).stickers[1];
    const served = await own.get(sticker?.asset_url ?? '');
    const again = await own.addSticker(packKey, { bytes: served.bytes, emojis: ['😀'] });
    expect(rulesOf(again)).toEqual([]);
    expect(unzip(wastickers()).size).toBe(2);
  });
});
