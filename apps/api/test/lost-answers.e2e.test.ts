/** Requests with an Idempotency-Key whose process is killed between commit and answer: what they made is told to whoever asks again. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  buildMultipart,
  buildZip,
  createCatalogueClient,
  drawPng,
  startFleet,
  testDatabaseKinds,
  waitFor,
} from '@omnizap/testkit';
import type { Answer, CatalogueClient, Fleet, Owner } from '@omnizap/testkit';
import { blockUpdates } from './block-updates.ts';

const packs = '/api/sticker-packs';
type Finding = { rule: string };
type Data = { pack_key: string; sticker_id: string; name: string; status: string; findings: Finding[] };
const dataOf = (answer: Answer): Data => answer.json<{ data: Data }>().data;
const codeOf = (answer: Answer): string | undefined => answer.json<{ code?: string }>().code;
const picture = (seed: number, fields: Record<string, string> = {}): ReturnType<typeof buildMultipart> =>
  buildMultipart([
    { name: 'file', content: drawPng(seed), filename: 'a.png', contentType: 'image/png' },
    ...Object.entries(fields).map(([name, content]) => ({ name, content })),
  ]);

describe.each(testDatabaseKinds())('answers that were lost on %s', (kind) => {
  let fleet: Fleet;
  let owner: Owner;
  let own: CatalogueClient;
  let source: string;
  let replaced: string;

  beforeAll(async () => {
    // Several requests hold a connection each when they are killed.
    fleet = await startFleet(kind, { processes: ['api'], env: { DATABASE_POOL_MAX: '12' } });
    owner = await fleet.createOwner();
    own = createCatalogueClient(fleet.apiUrl, owner.key);
    source = await own.createPack({ name: 'Source', publisher: 'Ana' });
    [replaced = ''] = await own.addStickers(source, [{ bytes: drawPng(1), emojis: ['🙂'] }]);
  }, 180_000);
  afterAll(async () => await fleet?.stop(), 60_000);

  const post = async (key: string, path: string, body: Record<string, unknown>): Promise<Answer> =>
    await own.call('POST', path, { headers: { 'Idempotency-Key': key }, body });
  const send = async (key: string, path: string, { body, contentType }: ReturnType<typeof picture>): Promise<Answer> =>
    await own.call('POST', path, { headers: { 'Idempotency-Key': key, 'Content-Type': contentType }, body });
  const file = (): ReturnType<typeof picture> =>
    buildMultipart([
      {
        ...{ name: 'file', filename: 'pack.wastickers', contentType: 'application/octet-stream' },
        content: buildZip([
          { name: 'title.txt', bytes: Buffer.from('Imported') },
          { name: 'author.txt', bytes: Buffer.from('Ana') },
          ...[41, 42].map((seed) => ({ name: `${seed}.webp`, bytes: drawPng(seed) })),
        ]),
      },
    ]);
  const requests = {
    clone: () => post('clone-1', `${packs}/${source}/clone`, { name: 'Cloned' }),
    import: () => send('import-1', `${packs}/import`, file()),
    collect: () => send('collect-1', '/api/stickers', picture(51, { emojis: '["😺"]' })),
    replace: () => send('replace-1', `${packs}/${source}/stickers/${replaced}/replace`, picture(52)),
  };
  const names = Object.keys(requests) as (keyof typeof requests)[];

  it('are made again from what a clone, an import, a collected and a replaced sticker left, and nothing is done twice', async () => {
    const block = await blockUpdates(fleet.database, 'idempotency_key', 'UPDATE', `NEW.state = 'answered'`);
    const cut: Promise<void>[] = [];
    for (const [index, name] of names.entries()) {
      cut.push(expect(requests[name]()).rejects.toThrow());
      await block.reached(index + 1);
    }
    await fleet.kill(fleet.process('api'));
    await Promise.all(cut);
    await block.end();
    own = createCatalogueClient((await fleet.start('api')).url, owner.key);
    const { knex } = fleet.database;
    const made = async (): Promise<unknown> => [
      await knex('sticker_pack').where({ owner_id: owner.ownerId }).orderBy('pack_key').pluck('pack_key'),
      await knex('sticker_pack_item').orderBy(['pack_id', 'position']).pluck('asset_id'),
    ];
    const before = await made();

    const answers: Partial<Record<keyof typeof requests, Answer>> = {};
    for (const name of names) {
      answers[name] = await waitFor(
        async () => {
          const answer = await requests[name]();
          return codeOf(answer) !== 'request-in-flight' && answer;
        },
        { timeoutMs: 30_000, intervalMs: 250, description: 'the lease of the killed process to run out' },
      );
      expect([name, answers[name]?.headers['idempotency-replayed']]).toEqual([name, 'true']);
    }

    expect(names.map((name) => answers[name]?.status)).toEqual([201, 201, 202, 202]);
    const of = (name: keyof typeof requests): Data => dataOf(answers[name] as Answer);
    for (const [name, title] of [
      ['clone', 'Cloned'],
      ['import', 'Imported'],
    ] as const) {
      const row = await knex('sticker_pack').where({ name: title }).first<{ pack_key: string }>('pack_key');
      expect([of(name).name, of(name).pack_key, of(name).status]).toEqual([title, row.pack_key, 'draft']);
      expect(answers[name]?.headers.location).toBe(`${packs}/${row.pack_key}`);
    }
    // Of the pack as it is now: its pictures came without emojis.
    expect(of('import').findings.map(({ rule }) => rule)).toContain('sticker-emojis');
    expect((await own.pack(of('collect').pack_key)).stickers.map((sticker) => sticker.sticker_id)).toContain(
      of('collect').sticker_id,
    );
    expect((await own.pack(source)).stickers.map((sticker) => sticker.sticker_id)).toContain(of('replace').sticker_id);
    expect((await requests.clone()).bytes.equals((answers.clone as Answer).bytes)).toBe(true);
    expect(await made()).toEqual(before);
  }, 120_000);

  it('say what the validator found when nothing was lost, also of stickers that are collected or replaced', async () => {
    const rulesOf = (answer: Answer): string[] => dataOf(answer).findings.map(({ rule }) => rule);
    const silent = await send('collect-2', '/api/stickers', picture(61));
    const told = await send('collect-3', '/api/stickers', picture(62, { emojis: '["😺"]' }));
    const [current = ''] = (await own.pack(source)).stickers.map((sticker) => sticker.sticker_id);
    const replace = (): Promise<Answer> =>
      send('replace-2', `${packs}/${source}/stickers/${current}/replace`, picture(63));
    const kept = await replace();
    const again = await replace();

    expect([silent.status, told.status, kept.status]).toEqual([202, 202, 202]);
    expect(rulesOf(silent)).toContain('sticker-emojis');
    expect(rulesOf(told)).not.toContain('sticker-emojis');
    // Its emojis are those that were there.
    expect(rulesOf(kept)).toEqual(rulesOf(told));
    expect([again.status, again.headers['idempotency-replayed']]).toEqual([202, 'true']);
    expect(again.bytes.equals(kept.bytes)).toBe(true);
  });
});
