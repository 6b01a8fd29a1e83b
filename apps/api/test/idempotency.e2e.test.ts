/** What a POST with an Idempotency-Key promises: once, whatever is sent again and whatever dies meanwhile. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  ask,
  buildMultipart,
  createCatalogueClient,
  drawPng,
  startFleet,
  testDatabaseKinds,
  waitFor,
} from '@omnizap/testkit';
import type { Answer, CatalogueClient, Fleet, Owner } from '@omnizap/testkit';
import { blockUpdates } from './block-updates.ts';

const packs = '/api/sticker-packs';
const codeOf = (answer: Answer): string | undefined => answer.json<{ code?: string }>().code;

describe.each(testDatabaseKinds())('requests with an Idempotency-Key on %s', (kind) => {
  let fleet: Fleet;
  let owner: Owner;
  let own: CatalogueClient;

  beforeAll(async () => {
    fleet = await startFleet(kind, { processes: ['api'] });
    owner = await fleet.createOwner();
    own = createCatalogueClient(fleet.apiUrl, owner.key);
  }, 180_000);
  afterAll(async () => await fleet?.stop(), 60_000);

  const create = async (key: string, name: string, client = own): Promise<Answer> =>
    await client.call('POST', packs, { headers: { 'Idempotency-Key': key }, body: { name } });
  const packsCalled = async (name: string): Promise<string[]> =>
    await fleet.database.knex('sticker_pack').where({ name }).pluck<string[]>('pack_key');

  it('are carried out once: sent again, the answer is the same and says so', async () => {
    const first = await create('"once"', 'Once');
    const again = await create('"once"', 'Once');
    // A token is the string of the same characters.
    const bare = await create('once', 'Once');

    expect([first.status, first.headers['idempotency-replayed']]).toEqual([201, undefined]);
    for (const replayed of [again, bare]) {
      expect([replayed.status, replayed.headers['idempotency-replayed']]).toEqual([201, 'true']);
      expect(replayed.bytes.equals(first.bytes)).toBe(true);
      expect([replayed.headers.location, replayed.headers.etag]).toEqual([first.headers.location, first.headers.etag]);
    }
    expect(first.headers.location).toBe(`${packs}/${(await packsCalled('Once')).join()}`);
  });

  it('are refused with 422 when the key comes with another body or at another place', async () => {
    expect((await create('mixed-up', 'First')).status).toBe(201);

    const other = await create('mixed-up', 'Second');
    const [packKey = ''] = await packsCalled('First');
    const elsewhere = await own.call('POST', `${packs}/${packKey}/publish`, {
      headers: { 'Idempotency-Key': 'mixed-up' },
    });

    expect([other.status, codeOf(other)]).toEqual([422, 'idempotency-key-reused']);
    expect([elsewhere.status, codeOf(elsewhere)]).toEqual([422, 'idempotency-key-reused']);
    expect(await packsCalled('Second')).toEqual([]);
  });

  it('belong to their owner: the same key of another is another', async () => {
    const stranger = createCatalogueClient(fleet.apiUrl, (await fleet.createOwner()).key);

    expect((await create('shared', 'Shared')).status).toBe(201);
    const theirs = await create('shared', 'Shared', stranger);

    expect([theirs.status, theirs.headers['idempotency-replayed']]).toEqual([201, undefined]);
    expect(await packsCalled('Shared')).toHaveLength(2);
  });

  it('may be tried again after a refusal, which changed nothing', async () => {
    const packKey = await own.createPack({ name: 'Empty at first' });
    const publish = async (): Promise<Answer> =>
      await own.call('POST', `${packs}/${packKey}/publish`, { headers: { 'Idempotency-Key': 'publish-it' } });
    expect(codeOf(await publish())).toBe('pack-empty');

    await own.addStickers(packKey, [{ bytes: drawPng(1, 16) }]);

    expect((await publish()).status).toBe(200);
  });

  it('know an upload by its file and fields, whatever its form looks like on the wire', async () => {
    const packKey = await own.createPack({ name: 'Uploads' });
    const send = async (seed: number, label: string): Promise<Answer> => {
      const { body, contentType } = buildMultipart([
        { name: 'file', content: drawPng(seed, 16), filename: 'a.png', contentType: 'image/png' },
        { name: 'accessibility_label', content: label },
      ]);
      const boundary = /boundary=(.*)/.exec(contentType)?.[1] ?? '';
      const renamed = `${boundary}${Math.random().toString(36).slice(2)}`;
      const bytes = Buffer.from(body.toString('latin1').replaceAll(boundary, renamed), 'latin1');
      return await own.call('POST', `${packs}/${packKey}/stickers`, {
        headers: { 'Content-Type': contentType.replace(boundary, renamed), 'Idempotency-Key': 'upload-1' },
        body: bytes,
      });
    };

    const [first, again] = [await send(2, 'two'), await send(2, 'two')];
    const otherFile = await send(3, 'two');
    const otherField = await send(2, 'three');

    // Without the key the same bytes again are a 200.
    expect([first.status, again.status, again.headers['idempotency-replayed']]).toEqual([202, 202, 'true']);
    expect(again.bytes.equals(first.bytes)).toBe(true);
    expect([codeOf(otherFile), codeOf(otherField)]).toEqual(['idempotency-key-reused', 'idempotency-key-reused']);
  });

  it('never keep a secret: a fresh API key is not given twice', async () => {
    const createKey = async (): Promise<Answer> =>
      await ask(`${fleet.apiUrl}/api/admin/api-keys`, {
        method: 'POST',
        key: fleet.adminToken,
        headers: { 'Idempotency-Key': 'a-key', 'Accept-Encoding': 'br, gzip' },
        body: { owner_id: 'someone', scopes: ['catalog:write'] },
      });
    const first = await createKey();
    const again = await createKey();

    const { key } = first.json<{ data: { key: string } }>().data;
    expect([first.status, again.status, codeOf(again)]).toEqual([201, 409, 'answer-lost']);
    const rows = await fleet.database.knex('idempotency_key').select();
    expect(JSON.stringify(rows)).not.toContain(key);
  });

  it.each(['', 'a b', '"unended', 'x'.repeat(129), '"ä"'])('are refused when the key is %j', async (key) => {
    const answer = await own.call('POST', packs, {
      headers: { 'Idempotency-Key': Buffer.from(key, 'utf8').toString('latin1') },
      body: { name: 'Refused' },
    });

    expect([answer.status, codeOf(answer)]).toEqual([400, 'invalid-parameter']);
    expect(await packsCalled('Refused')).toEqual([]);
  });

  it('are nothing to somebody without a key: counters ignore them', async () => {
    const packKey = await own.createPack({ name: 'Counted' });
    await own.addStickers(packKey, [{ bytes: drawPng(4, 16) }]);
    await own.publish(packKey);
    const open = async (viewer: string): Promise<Answer> =>
      await ask(`${fleet.apiUrl}${packs}/${packKey}/open`, {
        method: 'POST',
        headers: { 'Idempotency-Key': 'not a "key"', 'X-Viewer-Key': viewer },
      });

    expect([(await open('a')).status, (await open('b')).status]).toEqual([200, 200]);
    expect((await own.pack(packKey)).engagement.open).toBe(2);
  });

  it('get 409 while the first is in flight, and its answer afterwards', async () => {
    const block = await blockUpdates(fleet.database, 'idempotency_key', 'UPDATE', `NEW.state = 'answered'`);
    const first = create('slow', 'Slow');
    await block.reached();

    const meanwhile = await create('slow', 'Slow');
    await block.end();

    expect([meanwhile.status, codeOf(meanwhile), meanwhile.headers['retry-after']]).toEqual([
      409,
      'request-in-flight',
      '2',
    ]);
    // Its answer could not be kept, which is not its client's concern.
    expect((await first).status).toBe(201);
    expect(await packsCalled('Slow')).toHaveLength(1);
  });

  /** Sends it until nobody is thought to be at it any more. */
  const settled = async (send: () => Promise<Answer>): Promise<Answer> =>
    await waitFor(
      async () => {
        const answer = await send();
        return !(answer.status === 409 && codeOf(answer) === 'request-in-flight') && answer;
      },
      { timeoutMs: 30_000, intervalMs: 250, description: 'the lease of the killed process to run out' },
    );

  const killHeldUp = async (
    block: Awaited<ReturnType<typeof blockUpdates>>,
    request: Promise<Answer>,
  ): Promise<void> => {
    await block.reached();
    const cut = expect(request).rejects.toThrow();
    await fleet.kill(fleet.process('api'));
    await cut;
    await block.end();
    const { url } = await fleet.start('api');
    own = createCatalogueClient(url, owner.key);
  };

  it('are not done twice when the process is killed between commit and answer', async () => {
    const block = await blockUpdates(fleet.database, 'idempotency_key', 'UPDATE', `NEW.state = 'answered'`);
    await killHeldUp(block, create('killed-after', 'Killed after'));
    const [packKey, ...others] = await packsCalled('Killed after');
    expect([typeof packKey, others]).toEqual(['string', []]);

    const again = await settled(async () => await create('killed-after', 'Killed after'));
    const third = await create('killed-after', 'Killed after');

    expect([again.status, again.headers.location]).toEqual([201, `${packs}/${packKey}`]);
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(again.json<{ data: { pack_key: string } }>().data.pack_key).toBe(packKey);
    expect(third.bytes.equals(again.bytes)).toBe(true);
    expect(await packsCalled('Killed after')).toEqual([packKey]);
  });

  it('are done by the retry when the process is killed before the commit', async () => {
    const block = await blockUpdates(fleet.database, 'sticker_pack', 'INSERT', `NEW.name = 'Killed before'`);
    await killHeldUp(block, create('killed-before', 'Killed before'));
    expect(await packsCalled('Killed before')).toEqual([]);

    const again = await settled(async () => await create('killed-before', 'Killed before'));

    expect([again.status, again.headers['idempotency-replayed']]).toEqual([201, undefined]);
    expect(await packsCalled('Killed before')).toHaveLength(1);
  });
});
