/** Packs as files for other programs: what is handed out is held against the rules of those programs, written a second time. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { createCatalogueClient, drawApng, drawPng, startFleet, testDatabaseKinds, waitFor } from '@omnizap/testkit';
import type { CatalogueClient, Fleet, NewSticker } from '@omnizap/testkit';
import { complaintsOf, readWastickers, readWebp, unzip } from './independent-whatsapp.ts';

const emojisOf = (index: number): string[] => [['😀'], ['🎉', '😂'], ['❤️', '👍', '🔥', '🐱'], []][index % 4] ?? [];

describe.each(testDatabaseKinds())('downloads on %s', (kind) => {
  let fleet: Fleet;
  let own: CatalogueClient;
  let anybody: CatalogueClient;
  let large: string;
  let films: string;
  let few: string;
  let mixed: string;

  async function publishedPack(name: string, stickers: NewSticker[], visibility = 'public'): Promise<string> {
    const packKey = await own.createPack({ name, publisher: 'Drawn', visibility });
    await own.addStickers(packKey, stickers);
    await own.publish(packKey);
    return packKey;
  }
  const file = (packKey: string, extension = 'wastickers'): string =>
    `/api/sticker-packs/${packKey}/download.${extension}`;

  beforeAll(async () => {
    fleet = await startFleet(kind);
    own = createCatalogueClient(fleet.apiUrl, (await fleet.createOwner()).key);
    anybody = createCatalogueClient(fleet.apiUrl);
    large = await publishedPack(
      'Twenty-five',
      Array.from({ length: 25 }, (_, index) => ({
        bytes: drawPng(1_000 + index, 128),
        emojis: emojisOf(index),
        label: index === 0 ? 'long '.repeat(40) : `sticker ${index}`,
      })),
    );
    films = await publishedPack(
      'Films',
      [1, 2, 3].map((seed) => ({ bytes: drawApng([seed * 10, seed * 10 + 1, seed * 10 + 2], 96, 5) })),
    );
    few = await publishedPack('Two', [{ bytes: drawPng(1) }, { bytes: drawPng(2) }], 'unlisted');
    mixed = await publishedPack('Both', [
      ...[3, 4, 5].map((seed) => ({ bytes: drawPng(seed) })),
      { bytes: drawApng([6, 7], 96, 100) },
    ]);
    await waitFor(
      async () => {
        const packs = await Promise.all([large, films, few, mixed].map(async (packKey) => await own.pack(packKey)));
        return (
          packs.every(({ stickers }) => stickers.every(({ status }) => status === 'ready')) &&
          packs[0]?.whatsapp_ready === true &&
          packs[1]?.whatsapp_ready === true
        );
      },
      { timeoutMs: 90_000, description: 'all stickers ready' },
    );
  }, 240_000);
  afterAll(async () => await fleet?.stop(), 60_000);

  it('hand out a pack of 25 stickers as .wastickers that keeps all rules of WhatsApp', async () => {
    const answer = await anybody.get(file(large));

    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/octet-stream']);
    expect(answer.headers['content-disposition']).toBe(`attachment; filename="${large}.wastickers"`);
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
    const pack = readWastickers(answer.bytes);
    expect([pack.name, pack.publisher, pack.stickers.length]).toEqual(['Twenty-five', 'Drawn', 25]);
    expect(complaintsOf(pack)).toEqual([]);
    expect(pack.stickers[1]?.emojis).toEqual(['🎉', '😂']);
    expect(readWebp(pack.stickers[1]?.bytes ?? Buffer.alloc(0)).exif).toMatchObject({
      'sticker-pack-id': large,
      'sticker-pack-name': 'Twenty-five',
      'accessibility-text': 'sticker 1',
    });
  });

  it('hand out an animated pack whose frames were too short, with frames that are long enough', async () => {
    const pack = readWastickers((await anybody.get(file(films))).bytes);

    expect(complaintsOf(pack)).toEqual([]);
    expect(pack.stickers.map(({ bytes }) => readWebp(bytes).frameMs.length)).toEqual([3, 3, 3]);
  });

  it('hand out the same pack as a contents.json folder, as a set for Telegram and as one for Signal', async () => {
    const whatsapp = unzip((await anybody.get(file(large, 'whatsapp.zip'))).bytes);
    const contents = JSON.parse(whatsapp.get('contents.json')?.toString('utf8') ?? '') as {
      sticker_packs: {
        identifier: string;
        name: string;
        publisher: string;
        tray_image_file: string;
        image_data_version: string;
        animated_sticker_pack?: boolean;
        stickers: { image_file: string; emojis: string[]; accessibility_text?: string }[];
      }[];
    };
    const [pack] = contents.sticker_packs;
    if (!pack) throw new Error('no pack in contents.json');
    const at = (name: string): Buffer => whatsapp.get(`${pack.identifier}/${name}`) ?? Buffer.alloc(0);
    expect(
      complaintsOf({
        ...pack,
        tray: at(pack.tray_image_file),
        stickers: pack.stickers.map(({ image_file, emojis, accessibility_text }) => ({
          ...{ file: image_file, bytes: at(image_file), emojis },
          accessibilityText: accessibility_text,
        })),
      }),
    ).toEqual([]);
    expect([pack.identifier, pack.stickers.length, pack.animated_sticker_pack ?? false]).toEqual([large, 25, false]);
    expect(pack.image_data_version).not.toBe('');
    expect(whatsapp.size).toBe(27);

    for (const [extension, maxBytes] of [
      ['telegram.zip', 512 * 1_024],
      ['signal.zip', 300 * 1_024],
    ] as const) {
      const answer = await anybody.get(file(large, extension));
      expect(answer.headers['content-type']).toBe('application/zip');
      const files = unzip(answer.bytes);
      const { stickers } = JSON.parse(files.get('pack.json')?.toString('utf8') ?? '') as {
        stickers: { file: string; emojis?: string[]; emoji?: string }[];
      };
      expect(stickers).toHaveLength(25);
      for (const sticker of stickers) {
        const bytes = files.get(sticker.file) ?? Buffer.alloc(0);
        expect([sticker.file, bytes.length > 0 && bytes.length <= maxBytes]).toEqual([sticker.file, true]);
        expect(readWebp(bytes)).toMatchObject({ width: 512, height: 512, frameMs: [], problems: [] });
        const emojis = sticker.emojis ?? [sticker.emoji];
        expect(emojis.length).toBeGreaterThanOrEqual(1);
        expect(emojis.every((emoji) => typeof emoji === 'string' && emoji !== '')).toBe(true);
      }
      if (extension === 'telegram.zip') expect(stickers[2]?.emojis).toHaveLength(4);
    }
  });

  it.each([
    ['two stickers for WhatsApp', () => file(few), ['pack-stickers-min']],
    ['still and animated stickers for WhatsApp', () => file(mixed, 'whatsapp.zip'), ['pack-mixed']],
    ['an animated pack for Telegram', () => file(films, 'telegram.zip'), ['telegram-animated']],
    ['an animated sticker for Signal', () => file(mixed, 'signal.zip'), ['signal-animated']],
  ])('refuse %s and say which rule fails', async (_what, url, rules) => {
    const answer = await anybody.get(url());

    expect(answer.status).toBe(409);
    const problem = answer.json<{ code: string; errors: { rule: string }[] }>();
    expect(problem.code).toBe('pack-not-exportable');
    expect([...new Set(problem.errors.map(({ rule }) => rule))]).toEqual(rules);
    expect((await own.pack(few)).whatsapp_ready).toBe(false);
  });

  it('can be asked for by parts, by their headers alone, and whether they changed', async () => {
    const whole = await anybody.get(file(large));
    const etag = whole.headers.etag ?? '';
    expect(etag).toMatch(/^"[0-9a-f]{64}"$/);
    expect(whole.headers['cache-control']).toMatch(/^public, max-age=\d+, stale-while-revalidate=\d+$/);

    const head = await anybody.call('HEAD', file(large));
    expect([head.status, head.headers['content-length'], head.headers.etag, head.bytes.length]).toEqual([
      200,
      String(whole.bytes.length),
      etag,
      0,
    ]);
    expect((await anybody.get(file(large), { 'If-None-Match': etag })).status).toBe(304);
    const part = await anybody.get(file(large), { Range: 'bytes=100-199', 'If-Range': etag });
    expect([part.status, part.bytes.equals(whole.bytes.subarray(100, 200))]).toEqual([206, true]);
    expect((await anybody.get(file(large), { Range: 'bytes=999999999-' })).status).toBe(416);
    expect((await anybody.call('POST', file(large))).status).toBe(405);
  });

  it('count as downloads of whoever took the whole file, and only then', async () => {
    const counted = async (): Promise<number> => (await anybody.pack(films)).engagement.download;
    const before = await counted();
    const as = (viewer: string, headers: Record<string, string> = {}) => ({ 'X-Viewer-Key': viewer, ...headers });
    const whole = await anybody.get(file(films), as('first'));
    await waitFor(async () => (await counted()) === before + 1, {
      timeoutMs: 10_000,
      description: 'the download counted',
    });
    await anybody.call('HEAD', file(films), { headers: as('second') });
    await anybody.get(file(films), as('third', { Range: 'bytes=0-99' }));
    await anybody.get(file(films), as('fourth', { 'If-None-Match': whole.headers.etag ?? '' }));
    await anybody.get(file(films), as('first'));
    await anybody.get(file(films), as('fifth', { Range: 'bytes=0-' }));

    // The last one is counted after those before it had their chance.
    await waitFor(async () => (await counted()) >= before + 2, {
      timeoutMs: 10_000,
      description: 'the second download counted',
    });
    expect(await counted()).toBe(before + 2);
  });

  it('are built once, also for those who ask at the same time, and anew when a word changes', async () => {
    const folder = path.join(fleet.dataDir, 'stickers', 'exports');
    const before = await readdir(folder);
    const answers = await Promise.all(Array.from({ length: 12 }, () => anybody.get(file(films, 'whatsapp.zip'))));
    const digests = answers.map(({ bytes }) => createHash('sha256').update(bytes).digest('hex'));

    expect([...new Set(digests)]).toHaveLength(1);
    expect((await readdir(folder)).length).toBe(before.length + 1);
    const [first] = (await own.pack(films)).stickers;
    await fleet.database
      .knex('sticker_pack_item')
      .where({ asset_id: first?.sticker_id })
      .update({ emojis: JSON.stringify(['🎬']) });
    const changed = await anybody.get(file(films, 'whatsapp.zip'));
    expect(changed.headers.etag).not.toBe(answers[0]?.headers.etag);
  });

  it('are nobody’s business while the pack is private', async () => {
    const hidden = await publishedPack(
      'Hidden',
      [8, 9, 10].map((seed) => ({ bytes: drawPng(seed) })),
      'private',
    );
    await waitFor(async () => (await own.pack(hidden)).stickers.every(({ status }) => status === 'ready'), {
      timeoutMs: 45_000,
      description: 'the hidden stickers ready',
    });

    expect((await anybody.get(file(hidden))).status).toBe(404);
    const other = createCatalogueClient(fleet.apiUrl, (await fleet.createOwner()).key);
    expect((await other.get(file(hidden))).status).toBe(404);
    const answer = await own.get(file(hidden));
    expect([answer.status, answer.headers['cache-control']]).toEqual([200, 'private, no-store']);
    expect(complaintsOf(readWastickers(answer.bytes))).toEqual([]);
  });
});
