import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { connectDatabase, migrateUp, rowsOf, type Database } from '@omnizap/runtime';
import { createTestDatabase, testDatabaseKinds, type TestDatabase } from '@omnizap/testkit';
import { appendEvents } from './append.ts';
import { allShards, holdShards } from '../test/hold-shards.ts';
import type { EventDraft } from './event.ts';
import { createOutboxStore, type Hold } from './outbox-store.ts';

const draft = (aggregateId: string, number: number): EventDraft => ({
  type: 'COUNTED',
  aggregateType: 'counter',
  aggregateId,
  payload: { number },
  requestId: `request-${number}`,
});

describe.each(testDatabaseKinds())('outbox on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;
  let store: ReturnType<typeof createOutboxStore>;
  let hold: Hold;

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl);
    store = createOutboxStore(database);
    await migrateUp(database);
    await database.knex.raw('CREATE TABLE counter (id varchar(20) PRIMARY KEY, number integer NOT NULL)');
  });
  beforeEach(async () => {
    for (const table of ['domain_event_outbox', 'domain_event_outbox_dlq', 'counter'])
      await database.knex(table).delete();
    hold = await holdShards(database);
  });
  afterAll(async () => {
    await database.close();
    await test.drop();
  });

  const append = (...events: EventDraft[]): Promise<void> => database.transaction((trx) => appendEvents(trx, events));

  const statuses = (): Promise<string[]> => database.knex('domain_event_outbox').orderBy('id').pluck('status');

  it('keeps an event only together with the change that it tells of', async () => {
    const change = (number: number, fails: boolean): Promise<void> =>
      database.transaction(async (trx) => {
        await trx('counter').insert({ id: `counter-${number}`, number });
        await appendEvents(trx, [draft(`counter-${number}`, number)]);
        if (fails) throw new Error('the caller changed its mind');
      });

    await change(1, false);
    await expect(change(2, true)).rejects.toThrow('changed its mind');
    const alreadyThere = change(1, false);
    await expect(alreadyThere).rejects.toThrow();

    expect(await database.knex('counter').pluck('id')).toEqual(['counter-1']);
    expect(await database.knex('domain_event_outbox').pluck('aggregate_id')).toEqual(['counter-1']);
  });

  it('refuses an event that is too large to be held in memory with hundreds of others', async () => {
    const payload = { text: '🎉'.repeat(270_000) };

    await expect(append({ ...draft('a', 1), payload })).rejects.toThrow(/COUNTED for counter a has 1080\d{3} bytes/);
    expect(await statuses()).toEqual([]);
  });

  it('gives an event back as it was appended', async () => {
    const payload = { text: '🎉 "quoted"', list: [1, null, { deep: true }] };
    await append({ ...draft('a', 7), payload, priority: 85 });

    const [event] = await store.claim(hold, 10);

    expect(event).toMatchObject({
      type: 'COUNTED',
      aggregateType: 'counter',
      aggregateId: 'a',
      payload,
      priority: 85,
      attempts: 1,
      requestId: 'request-7',
    });
    expect(Math.abs(Date.now() - (event?.createdAt.getTime() ?? 0))).toBeLessThan(60_000);
  });

  it('claims the oldest of all shards first, no more than asked for and nothing twice', async () => {
    await append(...Array.from({ length: 100 }, (_, number) => draft(`aggregate-${number % 37}`, number)));

    const numbers: number[] = [];
    for (;;) {
      const events = await store.claim(hold, 30);
      if (events.length === 0) break;
      expect(events.length).toBeLessThanOrEqual(30);
      numbers.push(...events.map((event) => (event.payload as { number: number }).number));
    }

    expect(numbers).toEqual(Array.from({ length: 100 }, (_, number) => number));
  });

  it('leaves shards of others alone', async () => {
    await append(...Array.from({ length: 40 }, (_, number) => draft(`aggregate-${number}`, number)));

    const isEven = (shard: number): boolean => shard % 2 === 0;
    const even = await store.claim(await holdShards(database, allShards.filter(isEven)), 100);
    const odd = await store.claim(
      await holdShards(
        database,
        allShards.filter((shard) => !isEven(shard)),
      ),
      100,
    );

    expect(even.length).toBeGreaterThan(0);
    expect(odd.length).toBeGreaterThan(0);
    expect(new Set([...even, ...odd].map((event) => event.id)).size).toBe(40);
  });

  it('lets nobody settle what has a newer claim', async () => {
    const former = { ...hold, token: 'former' };
    const next = { ...hold, token: 'next' };
    await append(draft('a', 1), draft('b', 2), draft('c', 3));
    const claimed = await store.claim(former, 10);
    expect(await store.reclaim(next)).toBe(3);
    await store.claim(next, 10);
    const before = await database.knex('domain_event_outbox').orderBy('id');

    const completed = await store.complete(claimed, former);
    await store.giveBack(claimed, former);
    for (const event of claimed) {
      await store.fail({ event, error: 'late', retryInMs: 0 }, former);
      await store.deadLetter(event, 'late', former);
    }

    expect(completed).toBe(0);
    expect(await database.knex('domain_event_outbox').orderBy('id')).toEqual(before);
    expect(await database.knex('domain_event_outbox_dlq').count({ count: '*' })).toEqual([{ count: 0 }]);
    expect(await store.complete(claimed, next)).toBe(3);
  });

  it('lets nobody claim, mark or take back events of a shard that moved or whose lease ran out', async () => {
    await append(draft('a', 1), draft('a', 2), draft('b', 3));
    const [first, ...others] = await store.claim(hold, 10);
    if (!first) throw new Error('nothing was claimed');
    const next = await holdShards(database);

    expect(await store.complete([first], hold)).toBe(0);
    await store.fail({ event: first, error: 'late', retryInMs: 0 }, hold);
    await store.deadLetter(first, 'late', hold);
    expect(await store.reclaim(hold)).toBe(0);
    expect(await statuses()).toEqual(['processing', 'processing', 'processing']);

    expect(await store.reclaim(next)).toBe(3);
    expect(await store.claim(hold, 10)).toEqual([]);
    await database
      .knex('process_lease')
      .where({ process_id: next.processId })
      .update({ expires_at: new Date(0) });
    expect(await store.claim(next, 10)).toEqual([]);
    expect(await store.complete(others, next)).toBe(0);
    expect(await statuses()).toEqual(['pending', 'pending', 'pending']);
  });

  it('leaves an event alone while an older one of its aggregate is in the hands of a former holder', async () => {
    await append(draft('a', 1), draft('b', 2));
    const [ofA] = await store.claim(hold, 1);
    await append(draft('a', 3));
    const next = await holdShards(database, allShards, 'next');

    const claimed = await store.claim(next, 10);

    expect(ofA?.aggregateId).toBe('a');
    expect(claimed.map((event) => event.aggregateId)).toEqual(['b']);
    expect(await statuses()).toEqual(['processing', 'processing', 'pending']);
    expect(await database.knex('domain_event_outbox').orderBy('id').pluck('attempts')).toEqual([1, 1, 0]);
  });

  it('lets no event overtake one that a statement of an earlier claim takes while this one claims', async () => {
    await append(draft('a', 1), draft('a', 2), draft('b', 3));
    const [oldest] = await database.knex('domain_event_outbox').orderBy('id').pluck<number[]>('id');
    const isChosen = Promise.withResolvers<void>();
    const noteUpdate = ({ sql }: { sql: string }): void => {
      if (/^update .domain_event_outbox. set/i.test(sql)) isChosen.resolve();
    };
    let claiming: ReturnType<typeof store.claim> | undefined;

    await database.transaction(async (trx) => {
      await trx('domain_event_outbox')
        .where({ id: oldest })
        .update({ status: 'processing', locked_by: 'earlier', attempts: 1 });
      // Uncommitted: to the claim that event is pending and one of its own, until it waits for its lock.
      database.knex.on('query', noteUpdate);
      claiming = store.claim(hold, 10);
      await isChosen.promise;
    });
    database.knex.removeListener('query', noteUpdate);

    expect((await claiming)?.map((event) => event.aggregateId)).toEqual(['b']);
    expect(await statuses()).toEqual(['processing', 'pending', 'processing']);
    expect(await database.knex('domain_event_outbox').orderBy('id').pluck('attempts')).toEqual([1, 0, 1]);
  });

  it('does not skip an event whose transaction commits after one with a higher number', async () => {
    const mayCommit = Promise.withResolvers<void>();
    const isAppended = Promise.withResolvers<void>();
    const late = database.transaction(async (trx) => {
      await appendEvents(trx, [draft('late', 1)]);
      isAppended.resolve();
      await mayCommit.promise;
    });
    await isAppended.promise;
    await append(draft('early', 2));
    const first = await store.claim(hold, 10);
    await store.complete(first, hold);

    mayCommit.resolve();
    await late;
    const second = await store.claim(hold, 10);

    expect([first, second].map((events) => events.map((event) => event.aggregateId))).toEqual([['early'], ['late']]);
    expect(second[0]?.id).toBeLessThan(first[0]?.id ?? 0);
  });

  it('holds back what follows a failed event of its aggregate, and nothing else, until its time has come', async () => {
    await append(draft('a', 1), draft('b', 2));
    const [ofA, ofB] = await store.claim(hold, 10);
    if (!ofA || !ofB) throw new Error('nothing was claimed');
    await store.fail({ event: ofA, error: 'no', retryInMs: 3_600_000 }, hold);
    await store.complete([ofB], hold);
    await append(draft('a', 3), draft('b', 4));

    const meanwhile = await store.claim(hold, 10);
    await database
      .knex('domain_event_outbox')
      .where({ id: ofA.id })
      .update({ available_at: new Date(0) });
    const retry = await store.claim(hold, 10);
    await store.complete(retry, hold);
    const rest = await store.claim(hold, 10);

    const numbers = [meanwhile, retry, rest].map((events) =>
      events.map((event) => (event.payload as { number: number }).number),
    );
    expect(numbers).toEqual([[4], [1], [3]]);
    expect(retry[0]?.attempts).toBe(2);
  });

  it('moves a dead letter with its whole error, once', async () => {
    await append(draft('a', 1));
    const [event] = await store.claim(hold, 1);
    if (!event) throw new Error('nothing was claimed');
    const error = `Error: no 🎉\n${'    at somewhere\n'.repeat(2_000)}`;

    await store.deadLetter(event, error, hold);
    await store.deadLetter(event, error, hold);

    const rows: Record<string, unknown>[] = await database.knex('domain_event_outbox_dlq');
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      outbox_event_id: event.id,
      event_type: 'COUNTED',
      aggregate_id: 'a',
      attempts: 1,
      last_error: error,
      request_id: 'request-1',
    });
    expect(await statuses()).toEqual([]);
  });

  it('counts what waits, runs, failed and died, and how old the oldest of it is', async () => {
    expect(await store.depth()).toEqual({
      pending: 0,
      processing: 0,
      failed: 0,
      dlq: 0,
      oldestSeconds: expect.any(Number),
    });
    await append(...Array.from({ length: 7 }, (_, number) => draft(`aggregate-${number}`, number)));
    const [dead, failed, done, ...running] = await store.claim(hold, 5);
    if (!dead || !failed || !done) throw new Error('nothing was claimed');
    await store.deadLetter(dead, 'no', hold);
    await store.fail({ event: failed, error: 'no', retryInMs: 60_000 }, hold);
    await store.complete([done], hold);
    await database
      .knex('domain_event_outbox')
      .where({ id: running[0]?.id })
      .update({ created_at: new Date(Date.now() - 90_000) });

    const depth = await store.depth();

    expect(depth).toMatchObject({ pending: 2, processing: 2, failed: 1, dlq: 1 });
    expect(Math.abs(depth.oldestSeconds - 90)).toBeLessThan(30);
  });
});

describe('the claim on PostgreSQL', () => {
  it('reads index entries of what waits, however much is finished', async () => {
    const test = await createTestDatabase('postgres');
    const database = connectDatabase(test.databaseUrl);
    await migrateUp(database);
    await database.knex.raw(
      `INSERT INTO domain_event_outbox (event_type, aggregate_type, aggregate_id, payload, status, shard, processed_at)
       SELECT 'COUNTED', 'counter', 'aggregate-' || n % 5000, '{}', 'completed', n % 16, now() FROM generate_series(1, 200000) n`,
    );
    await database.transaction((trx) =>
      appendEvents(
        trx,
        Array.from({ length: 300 }, (_, number) => draft(`aggregate-${number % 50}`, number)),
      ),
    );
    await database.knex.raw('ANALYZE domain_event_outbox');
    const hold = await holdShards(database);
    const statements: { sql: string; bindings?: unknown[] }[] = [];
    database.knex.on('query', (query: { sql: string; bindings?: unknown[] }) => statements.push(query));
    await createOutboxStore(database).claim(hold, 50);

    // Selecting the candidates and marking them.
    const hot = statements.filter(({ sql }) => /^(select|update).*domain_event_outbox/is.test(sql)).slice(0, 2);
    const plans: string[] = [];
    for (const { sql, bindings } of hot) {
      const rows = rowsOf<Record<string, string>>(
        await database.knex.raw(`EXPLAIN ${sql.replaceAll(/\$\d+/g, '?')}`, (bindings ?? []) as string[]),
      );
      plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'));
    }
    await database.close();
    await test.drop();

    expect(hot.map(({ sql }) => sql.slice(0, 6).toLowerCase())).toEqual(['select', 'update']);
    expect(plans[0]).toContain('domain_event_outbox_claim_idx');
    expect(plans.join('\n')).not.toContain('Seq Scan on domain_event_outbox');
  });
});
