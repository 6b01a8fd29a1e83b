/** Dead letters over HTTP, on a running fleet: what failed is looked at, redriven, discarded, and audited. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { keepDeadTask } from '@omnizap/catalog';
import { createCatalogueClient, startFleet, testDatabaseKinds, waitFor } from '@omnizap/testkit';
import type { Answer, CatalogueClient, Fleet } from '@omnizap/testkit';
import { v7 as uuidv7 } from 'uuid';

const dlq = '/api/admin/dlq';
const patience = { timeoutMs: 30_000 };

type DeadLetterJson = {
  id: number;
  source: string;
  type: string;
  subject_id: string;
  event_id: number | null;
  attempts: number;
  error: string;
  last_error: string;
  payload: object;
  history: { settlement: string; reason: string | null; settled_by: string; error: string }[];
};
type ListJson = { data: DeadLetterJson[]; pagination: { next_cursor: string | null; has_more: boolean } };
type BulkJson = {
  data: { matched: number; redriven: number; left: number; until: string | null; first_ids?: number[] };
};

describe.each(testDatabaseKinds())('dead letters over HTTP on %s', (kind) => {
  let fleet: Fleet;
  let own: CatalogueClient;
  let admin: CatalogueClient;
  let packId: string;

  beforeAll(async () => {
    fleet = await startFleet(kind, { processes: ['api', 'relay', 'worker-rebuild'] });
    own = createCatalogueClient(fleet.apiUrl, (await fleet.createOwner()).key);
    admin = createCatalogueClient(fleet.apiUrl, fleet.adminToken);
    await own.createPack({ name: 'Some pack' });
    packId = (await fleet.database.knex('sticker_pack').first<{ id: string }>('id')).id;
    await rebuilt();
  }, 180_000);
  beforeEach(async () => {
    for (const table of [
      'domain_event_outbox_dlq',
      'sticker_worker_task_dlq',
      'dead_letter_history',
      'admin_action_audit',
    ])
      await fleet.database.knex(table).delete();
  });
  afterAll(async () => await fleet?.stop(), 60_000);

  const list = async (query: string): Promise<ListJson> => (await admin.get(`${dlq}?${query}`)).json<ListJson>();
  const show = async (source: string, id: number): Promise<DeadLetterJson> =>
    (await admin.get(`${dlq}/${id}?source=${source}`)).json<{ data: DeadLetterJson }>().data;
  const codeOf = (answer: Answer): [number, string] => [answer.status, answer.json<{ code: string }>().code];

  /** The rebuild worker has done all that is wanted of the pack. */
  const rebuilt = (): Promise<unknown> =>
    waitFor(
      () =>
        fleet.database
          .knex('work_state')
          .where({ task_type: 'rebuild', subject_id: packId, is_due: 0 })
          .andWhereRaw('done_version = wanted_version')
          .first('subject_id') as Promise<unknown>,
      patience,
    );

  async function killTask(
    subjectId = packId,
    error = 'Error: the disk is full\n    at write (a.ts:1:2)',
  ): Promise<void> {
    const payload = { subject_id: subjectId, request_id: 'request-7' };
    await keepDeadTask(fleet.database, { id: uuidv7(), taskType: 'rebuild', subjectId, attempts: 9, error, payload });
  }

  /** An event that no relay can make sense of, at its last attempt. Returns its id. */
  async function poison(): Promise<number> {
    const aggregate = uuidv7();
    await fleet.database.knex('domain_event_outbox').insert({
      event_type: 'PACK_UPDATED',
      aggregate_type: 'sticker_pack',
      aggregate_id: aggregate,
      payload: '{"pack_id":7}',
      max_attempts: 1,
      shard: 3,
    });
    const { id } = await fleet.database
      .knex('domain_event_outbox')
      .where({ aggregate_id: aggregate })
      .first<{ id: number }>('id');
    return id;
  }

  it('show an event that the relay gave up with its whole error, and again with its history after it failed again', async () => {
    const eventId = await poison();
    const found = await waitFor(async () => (await list('source=outbox')).data[0], patience);
    const first = await show('outbox', found.id);
    expect(first).toMatchObject({
      event_id: eventId,
      type: 'PACK_UPDATED',
      attempts: 1,
      payload: { pack_id: 7 },
      history: [],
    });
    expect(first.error).toMatch(/^AppError: Event \d+ \(PACK_UPDATED\) does not match its schema/);
    expect(first.last_error).toMatch(/^ {4}at .*events\.ts/m);

    const answer = await admin.call('POST', `${dlq}/${found.id}/redrive?source=outbox&reason=one%20more%20try`);
    expect([answer.status, answer.json()]).toEqual([
      200,
      {
        data: {
          id: found.id,
          source: 'outbox',
          type: 'PACK_UPDATED',
          subject_id: first.subject_id,
          settlement: 'redriven',
        },
      },
    ]);
    const again = await waitFor(
      async () => (await list('source=outbox')).data.find(({ id }) => id !== found.id),
      patience,
    );
    expect(await show('outbox', again.id)).toMatchObject({
      event_id: eventId,
      attempts: 1,
      history: [{ settlement: 'redriven', reason: 'one more try', settled_by: 'admin', error: first.error }],
    });
  });

  it('have an event relayed with its own id once its cause is gone', async () => {
    const eventId = await poison();
    const found = await waitFor(async () => (await list('source=outbox')).data[0], patience);
    const payload = JSON.stringify({ pack_id: packId, action: 'edited', theme_keys: [] });
    await fleet.database.knex('domain_event_outbox_dlq').update({ payload });

    expect((await admin.call('POST', `${dlq}/${found.id}/redrive?source=outbox`)).status).toBe(200);

    await waitFor(
      () =>
        fleet.database
          .knex('domain_event_outbox')
          .where({ id: eventId, status: 'completed' })
          .first('id') as Promise<unknown>,
      patience,
    );
    expect((await list('source=outbox')).data).toEqual([]);
  });

  it('have a task worked again when it is redriven, once, and say who did it', async () => {
    await killTask();
    const [found] = (await list('source=tasks&type=rebuild&error_contains=disk%20is')).data;
    const letter = await show('tasks', found?.id ?? 0);
    expect(letter).toMatchObject({ subject_id: packId, attempts: 9, error: 'Error: the disk is full' });

    const answers = await Promise.all(
      Array.from({ length: 8 }, () => admin.call('POST', `${dlq}/${letter.id}/redrive?source=tasks`)),
    );

    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const answer of answers) if (answer.status !== 200) expect(codeOf(answer)).toEqual([404, 'not-found']);
    await rebuilt();
    const requestId = answers.find(({ status }) => status === 200)?.headers['x-request-id'];
    expect(
      await fleet.database.knex('admin_action_audit').select('actor', 'action', 'target_id', 'request_id'),
    ).toEqual([
      { actor: 'admin', action: 'dead_letter_redriven', target_id: `tasks:${letter.id}`, request_id: requestId },
    ]);
  });

  it('are redriven by filter, after a preview that changes nothing', async () => {
    for (let index = 0; index < 12; index += 1)
      await killTask(`gone-${index}`, `Error: ${index < 9 ? 'disk' : 'network'} ${index}`);
    const body = { source: 'tasks', filter: { error_contains: 'disk' }, limit: 5, reason: 'the disk is back' };

    const groups = (await admin.get(`${dlq}/groups?source=tasks`)).json<{ data: object[]; meta: object }>();
    const preview = await admin.call('POST', `${dlq}/redrive`, { body: { ...body, preview: true } });
    const before = await list('source=tasks');
    const first = await admin.call('POST', `${dlq}/redrive`, { body });
    const slowly = await admin.call('POST', `${dlq}/redrive`, { body: { ...body, rate_per_second: 0.5 } });

    expect(groups).toMatchObject({ data: [{ error: 'Error: disk …', count: 9 }, { count: 3 }], meta: { total: 12 } });
    expect(preview.json<BulkJson>().data).toMatchObject({
      preview: true,
      matched: 9,
      redriven: 5,
      left: 4,
      groups: [{ count: 9, contains: 'Error: disk' }],
      first_ids: before.data
        .slice(-9)
        .map(({ id }) => id)
        .toReversed(),
    });
    expect(before.data).toHaveLength(12);
    expect(first.json()).toEqual({
      data: { source: 'tasks', preview: false, matched: 9, redriven: 5, left: 4, until: null },
    });
    const { redriven, left, until } = slowly.json<BulkJson>().data;
    expect([redriven, left]).toEqual([4, 0]);
    expect(Date.parse(until ?? '')).toBeGreaterThan(Date.now() - 60_000);
    expect((await list('source=tasks')).data.map(({ error }) => error)).toEqual(
      ['11', '10', '9'].map((number) => `Error: network ${number}`),
    );
  });

  it('are given up with a reason', async () => {
    await killTask();
    const [found] = (await list('source=tasks')).data;
    const url = `${dlq}/${found?.id}`;
    expect(codeOf(await admin.call('DELETE', `${url}?source=tasks`))).toEqual([400, 'invalid-parameter']);
    expect(codeOf(await admin.call('DELETE', `${url}?source=tasks&reason=%20`))).toEqual([400, 'invalid-parameter']);

    expect((await admin.call('DELETE', `${url}?source=tasks&reason=the%20pack%20is%20gone`)).status).toBe(204);

    expect(codeOf(await admin.get(`${url}?source=tasks`))).toEqual([404, 'not-found']);
    expect(await fleet.database.knex('admin_action_audit').pluck('reason')).toEqual(['the pack is gone']);
  });

  it('come in pages that follow their cursor', async () => {
    for (let index = 0; index < 5; index += 1) await killTask(`gone-${index}`);
    const seen: string[] = [];
    for (let cursor = ''; ;) {
      const page = await list(`source=tasks&limit=2${cursor}`);
      seen.push(...page.data.map(({ subject_id }) => subject_id));
      expect(page.pagination.has_more).toBe(page.pagination.next_cursor !== null);
      if (page.pagination.next_cursor === null) break;
      cursor = `&cursor=${page.pagination.next_cursor}`;
    }

    expect(seen).toEqual(['gone-4', 'gone-3', 'gone-2', 'gone-1', 'gone-0']);
  });

  it.each([
    ['GET', `${dlq}`, 'invalid-parameter'],
    ['GET', `${dlq}?source=inbox`, 'invalid-parameter'],
    ['GET', `${dlq}?source=tasks&limit=0`, 'invalid-parameter'],
    ['GET', `${dlq}?source=tasks&limit=201`, 'invalid-parameter'],
    ['GET', `${dlq}?source=tasks&sort=oldest`, 'invalid-parameter'],
    ['GET', `${dlq}?source=tasks&error_contains=%00`, 'invalid-parameter'],
    ['GET', `${dlq}?source=tasks&failed_after=yesterday`, 'invalid-parameter'],
    ['GET', `${dlq}?source=tasks&failed_after=0000-01-01T00:00:00Z`, 'invalid-parameter'],
    ['GET', `${dlq}?source=tasks&cursor=bm8`, 'invalid-cursor'],
    ['GET', `${dlq}/1`, 'invalid-parameter'],
    ['GET', `${dlq}/x?source=tasks`, 'not-found'],
    ['GET', `${dlq}/999999999999999?source=tasks`, 'not-found'],
    ['GET', `${dlq}/99999999999999999999999?source=tasks`, 'not-found'],
    ['POST', `${dlq}/1/redrive`, 'invalid-parameter'],
    ['POST', `${dlq}/1/redrive?source=outbox`, 'not-found'],
    ['PUT', `${dlq}/1?source=outbox`, 'method-not-allowed'],
    ['GET', `${dlq}/redrive?source=tasks`, 'not-found'],
  ])('refuse %s %s with %s', async (method, url, code) => {
    const answer = await admin.call(method, url);

    expect(answer.json()).toMatchObject({ code });
  });

  it.each([
    [{}],
    [{ source: 'tasks' }],
    [{ source: 'tasks', filter: { colour: 'red' } }],
    [{ source: 'tasks', filter: {}, limit: 10_001 }],
    [{ source: 'tasks', filter: {}, rate_per_second: 0 }],
    [{ source: 'tasks', filter: {}, rate_per_second: '5' }],
    [{ source: 'tasks', filter: { type: "x' OR 1=1" } }],
    [{ source: 'tasks', filter: {}, everything: true }],
  ])('refuse a bulk redrive of %j', async (body) => {
    expect(codeOf(await admin.call('POST', `${dlq}/redrive`, { body }))).toEqual([422, 'validation-failed']);
  });

  it('are for administrators only', async () => {
    await killTask();
    const anybody = createCatalogueClient(fleet.apiUrl);

    for (const [method, url] of [
      ['GET', `${dlq}?source=tasks`],
      ['GET', `${dlq}/groups?source=tasks`],
      ['GET', `${dlq}/1?source=tasks`],
      ['POST', `${dlq}/1/redrive?source=tasks`],
      ['POST', `${dlq}/redrive`],
      ['DELETE', `${dlq}/1?source=tasks&reason=x`],
    ] as const) {
      expect(codeOf(await anybody.call(method, url))).toEqual([401, 'unauthorized']);
      expect(codeOf(await own.call(method, url))).toEqual([403, 'forbidden']);
    }
    expect((await list('source=tasks')).data).toHaveLength(1);
  });
});
