/** Stickers that name no pack, from many chats of one owner at once, through two API processes. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { buildMultipart, createCatalogueClient, drawPng, startFleet, testDatabaseKinds } from '@omnizap/testkit';
import type { Answer, CatalogueClient, Fleet } from '@omnizap/testkit';

const posts = 200;
const distinct = 185;
const maxItems = 30;

type Collected = {
  sticker_id: string;
  sha256: string;
  status: string;
  pack_key: string;
  pack_name: string;
  outcome: string;
};

async function collect(client: CatalogueClient, bytes: Buffer, fields: Record<string, string> = {}): Promise<Answer> {
  const { body, contentType } = buildMultipart([
    { name: 'file', content: bytes, filename: 'sticker', contentType: 'application/octet-stream' },
    ...Object.entries(fields).map(([name, content]) => ({ name, content })),
  ]);
  return await client.call('POST', '/api/stickers', { body, headers: { 'Content-Type': contentType } });
}
const dataOf = (answer: Answer): Collected => answer.json<{ data: Collected }>().data;

describe.each(testDatabaseKinds())('auto-collect over HTTP on %s', (kind) => {
  let fleet: Fleet;

  beforeAll(async () => {
    fleet = await startFleet(kind, {
      processes: ['api', 'api'],
      env: { STICKER_PACK_AUTO_PACK_NAME: 'Meus', STICKER_PACK_MAX_ITEMS: String(maxItems) },
    });
  }, 120_000);
  afterAll(async () => await fleet?.stop(), 60_000);

  it('loses none of two hundred posts at once, and fills one numbered pack after the other', async () => {
    const { key, ownerId } = await fleet.createOwner();
    const clients = fleet.all().map(({ process }) => createCatalogueClient(process.url, key));
    const pictures = Array.from({ length: distinct }, (_, seed) => drawPng(seed + 1, 16));

    const answers = await Promise.all(
      Array.from({ length: posts }, (_, index) =>
        collect(clients[index % 2] as CatalogueClient, pictures[index % distinct] as Buffer, {
          emojis: '["🎉"]',
          sender_name: 'Ana',
        }),
      ),
    );

    const count = (status: number): number => answers.filter((answer) => answer.status === status).length;
    expect([count(202), count(200)]).toEqual([distinct, posts - distinct]);
    const byContent = new Map<string, Set<string>>();
    for (const { sha256, sticker_id, pack_key } of answers.map(dataOf))
      byContent.set(sha256, (byContent.get(sha256) ?? new Set()).add(`${sticker_id} in ${pack_key}`));
    // Whoever came second is told of the place that the first one got.
    expect([...byContent.values()].every((places) => places.size === 1)).toBe(true);
    expect([...byContent.keys()].toSorted()).toEqual(
      pictures.map((bytes) => createHash('sha256').update(bytes).digest('hex')).toSorted(),
    );

    const rows = await fleet.database
      .knex('sticker_pack as p')
      .join('sticker_pack_item as i', 'i.pack_id', 'p.id')
      .where({ 'p.owner_id': ownerId })
      .select<{ name: string; publisher: string; visibility: string; position: number }[]>(
        'p.name',
        'p.publisher',
        'p.visibility',
        'i.position',
      );
    const expected = Array.from({ length: distinct }, (_, index) => ({
      name: `Meus${Math.floor(index / maxItems) + 1}`,
      ...{ publisher: 'Ana', visibility: 'unlisted', position: index % maxItems },
    }));
    const sorted = (list: object[]): string[] => list.map((row) => JSON.stringify(row)).toSorted();
    expect(sorted(rows)).toEqual(sorted(expected));
  }, 120_000);

  it('tells which pack took it, and which one has it already', async () => {
    const own = createCatalogueClient(fleet.apiUrl, (await fleet.createOwner()).key);
    const bytes = drawPng(900, 16);

    const first = await collect(own, bytes, { accessibility_label: 'Hi' });
    const second = await collect(own, bytes);
    const packKey = await own.createPack({ name: 'By hand' });
    const third = await collect(own, drawPng(901, 16));

    expect([first.status, dataOf(first)]).toEqual([
      202,
      {
        sticker_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        sha256: createHash('sha256').update(bytes).digest('hex'),
        status: 'pending',
        pack_key: expect.stringMatching(/^meus1-/),
        pack_name: 'Meus1',
        outcome: 'added',
        findings: expect.arrayContaining([
          expect.objectContaining({ rule: 'webp-format', fixed_automatically: true }),
        ]) as unknown,
      },
    ]);
    expect([second.status, dataOf(second)]).toEqual([200, { ...dataOf(first), outcome: 'duplicate' }]);
    expect(dataOf(third)).toMatchObject({ pack_key: packKey, pack_name: 'By hand' });
    expect((await own.pack(dataOf(first).pack_key)).stickers[0]).toMatchObject({ accessibility_label: 'Hi' });
  });

  it('refuses who may not, what is no sticker and what it does not know', async () => {
    const own = createCatalogueClient(fleet.apiUrl, (await fleet.createOwner()).key);
    const codeOf = (answer: Answer): unknown[] => [answer.status, answer.json<{ code: string }>().code];

    expect(codeOf(await collect(createCatalogueClient(fleet.apiUrl), drawPng(902, 16)))).toEqual([401, 'unauthorized']);
    expect(codeOf(await collect(own, Buffer.from('no picture')))).toEqual([415, 'image-unsupported']);
    for (const fields of [{ sender_name: 'x'.repeat(121) }, { sender_name: 'a\u0007b' }, { owner: 'me' }] as Record<
      string,
      string
    >[])
      expect(codeOf(await collect(own, drawPng(903, 16), fields))).toEqual([422, 'validation-failed']);
    const off = await fleet.start('api', { STICKER_PACK_AUTO_COLLECT_ENABLED: 'false' });
    const { key } = await fleet.createOwner();
    expect(codeOf(await collect(createCatalogueClient(off.url, key), drawPng(904, 16)))).toEqual([
      409,
      'auto-collect-disabled',
    ]);
  });
});
