import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  connectDatabase,
  createLeaseStore,
  createLogger,
  createMembership,
  createMetrics,
  createWakeups,
  migrateUp,
  systemClock,
  type Clock,
  type Database,
  type Membership,
  type Wakeups,
} from '@omnizap/runtime';
import { createTestDatabase, testDatabaseKinds, waitFor, type TestDatabase } from '@omnizap/testkit';
import { appendEvents, outboxTopic } from './append.ts';
import type { EventDraft, OutboxEvent } from './event.ts';
import { createOutboxStore } from './outbox-store.ts';
import { createRelay, type Delivery } from './relay.ts';

const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
const numberOf = (event: OutboxEvent): number => (event.payload as { number: number }).number;
/** Looks at its shards eight times as often: rows that somebody marked late are looked for every fifth time only. */
const hurried: Clock = { ...systemClock, now: () => systemClock.now() * 8 };
const everything = async (): ReturnType<Delivery> => ({ failed: [] });

describe.each(testDatabaseKinds())('relay on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;
  let wakeups: Wakeups;
  const stops: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl, { poolMax: 12 });
    await migrateUp(database);
    await database.knex.raw('CREATE TABLE counter (id varchar(20) PRIMARY KEY, number integer NOT NULL)');
    wakeups = createWakeups({ queueUrl: test.queueUrl, log });
    await wakeups.start();
  });
  beforeEach(async () => {
    for (const table of ['domain_event_outbox', 'domain_event_outbox_dlq', 'counter'])
      await database.knex(table).delete();
  });
  afterEach(async () => {
    await Promise.all(stops.splice(0).map((stop) => stop()));
  });
  afterAll(async () => {
    await wakeups.stop();
    await database.close();
    await test.drop();
  });

  async function join(via: Database = database): Promise<Membership> {
    const membership = createMembership({ store: createLeaseStore(via), log }, { processName: 'relay', status: {} });
    await membership.start();
    return membership;
  }

  /** Returns what stops it, and its membership, as its process would. */
  async function startRelay(
    deliver: Delivery,
    membership?: Membership,
    via: Database = database,
    clock: Clock = systemClock,
  ): Promise<() => Promise<void>> {
    const member = membership ?? (await join(via));
    const metrics = createMetrics({ version: '0', release: 'stable', process: 'relay' });
    const relay = createRelay(
      { store: createOutboxStore(via), membership: member, wakeups, log, metrics, clock },
      { processName: 'relay', deliver },
    );
    await relay.start();
    let stopped: Promise<void> | undefined;
    const stop = (): Promise<void> => (stopped ??= relay.stop().then(() => member.stop()));
    stops.push(stop);
    return stop;
  }

  const draft = (aggregateId: string, number: number, type = 'COUNTED'): EventDraft => ({
    type,
    aggregateType: 'counter',
    aggregateId,
    payload: { number },
  });

  async function append(...events: EventDraft[]): Promise<void> {
    await database.transaction((trx) => appendEvents(trx, events));
    wakeups.notify(outboxTopic);
  }

  /** A retry has no wake-up of its own; without these the test would wait for the relay's next look. */
  const eventually = (condition: () => Promise<boolean> | boolean, timeoutMs = 20_000): Promise<unknown> =>
    waitFor(
      async () => {
        wakeups.notify(outboxTopic);
        return condition();
      },
      { timeoutMs },
    );

  const countByStatus = async (status: string): Promise<number> =>
    (await database.knex('domain_event_outbox').where({ status }).pluck('id')).length;

  it('does not let an event overtake one that a claim of its own has taken late', async () => {
    const givenUp: string[] = [];
    const delivered: number[] = [];
    const membership = await join();
    const store = createOutboxStore(database);
    const metrics = createMetrics({ version: '0', release: 'stable', process: 'relay' });
    const relay = createRelay(
      {
        store: {
          ...store,
          async claim(hold, limit) {
            const events = await store.claim(hold, limit);
            givenUp.push(hold.token);
            return events;
          },
        },
        ...{ membership, wakeups, log, metrics, clock: hurried },
      },
      {
        processName: 'relay',
        deliver: async (events) => {
          delivered.push(...events.map(numberOf));
          return { failed: [] };
        },
      },
    );
    await relay.start();
    stops.push(() => relay.stop().then(() => membership.stop()));
    await waitFor(() => givenUp.length > 0);

    // As a statement does that was given up, and is carried out when the relay has gone on to its next claim. Never under the
    // name of a claim that is still to look for its candidates: its own rows it would take for taken with the others.
    await database.transaction(async (trx) => {
      await appendEvents(trx, [draft('a', 1)]);
      await trx('domain_event_outbox').update({ status: 'processing', locked_by: givenUp.at(-1), attempts: 1 });
      await appendEvents(trx, [draft('a', 2)]);
    });
    await eventually(() => delivered.includes(2));

    expect(delivered).toEqual([1, 2]);
  });

  it('delivers every event of every aggregate in order while relays leave and die under load', async () => {
    const [aggregates, total, producers] = [60, 3_000, 6];
    await database
      .knex('counter')
      .insert(Array.from({ length: aggregates }, (_, index) => ({ id: `counter-${index}`, number: 0 })));
    const deliveries: { by: string; event: OutboxEvent }[] = [];
    const deliverAs =
      (by: string): Delivery =>
      async (events) => {
        deliveries.push(...events.map((event) => ({ by, event })));
        return { failed: [] };
      };
    const countBy = (name: string): number => deliveries.filter((delivery) => delivery.by === name).length;

    const ownConnection = connectDatabase(test.databaseUrl);
    const members = [await join(), await join(), await join(ownConnection)] as const;
    const stopFirst = await startRelay(deliverAs('first'), members[0]);
    await startRelay(deliverAs('second'), members[1]);
    // The third one dies with a batch in its hands.
    const isHolding = Promise.withResolvers<number>();
    const died = Promise.withResolvers<Awaited<ReturnType<Delivery>>>();
    const holdForEver: Delivery = (events) => {
      isHolding.resolve(events.length);
      return died.promise;
    };
    await startRelay(holdForEver, members[2], ownConnection);

    let left = total;
    const produce = async (): Promise<void> => {
      while (left > 0) {
        const size = Math.min(left, 1 + Math.floor(Math.random() * 3));
        left -= size;
        const id = `counter-${Math.floor(Math.random() * aggregates)}`;
        await database.transaction(async (trx) => {
          // The row's lock is what makes the order of numbers the order of commits.
          await trx('counter').where({ id }).increment('number', size);
          const { number } = await trx('counter').where({ id }).first<{ number: number }>('number');
          const events = Array.from({ length: size }, (_, index) => draft(id, number - size + 1 + index));
          await appendEvents(trx, events);
        });
        wakeups.notify(outboxTopic);
      }
    };
    const producing = Promise.all(Array.from({ length: producers }, produce));
    expect(await isHolding.promise).toBeGreaterThan(0);
    await ownConnection.close();
    await waitFor(() => countBy('first') > 100);
    await stopFirst();
    await producing;
    await eventually(async () => (await countByStatus('completed')) === total, 30_000);
    died.resolve({ failed: [] });

    const seen = new Map<string, number[]>();
    const ids = new Set<number>();
    for (const { event } of deliveries) {
      if (ids.has(event.id)) continue;
      ids.add(event.id);
      seen.set(event.aggregateId, [...(seen.get(event.aggregateId) ?? []), numberOf(event)]);
    }
    const counters = await database.knex('counter').select<{ id: string; number: number }[]>('id', 'number');
    expect(counters.reduce((sum, counter) => sum + counter.number, 0)).toBe(total);
    for (const { id, number } of counters)
      expect({ id, numbers: seen.get(id) ?? [] }).toEqual({
        id,
        numbers: Array.from({ length: number }, (_, index) => index + 1),
      });
    expect(countBy('second')).toBeGreaterThan(countBy('first'));
  });

  it('stops only the aggregate of an event that cannot be delivered, and only until that is a dead letter', async () => {
    const seen: string[] = [];
    await append(draft('poisoned', 1, 'POISON'), draft('poisoned', 2), draft('healthy', 3), draft('poisoned', 4));
    await database.knex('domain_event_outbox').where({ event_type: 'POISON' }).update({ max_attempts: 3 });
    let tries = 0;

    await startRelay(async (events) => {
      const failed = events.filter((event) => event.type === 'POISON');
      tries += failed.length;
      const stuck = new Set(failed.map((event) => event.aggregateId));
      seen.push(...events.filter((event) => !stuck.has(event.aggregateId)).map((event) => `${numberOf(event)}`));
      return { failed: failed.map((event) => ({ event, error: 'no such thing\n    at a line of the stack' })) };
    });

    await waitFor(() => seen.includes('3'));
    expect(seen).toEqual(['3']);
    await append(draft('healthy', 5));
    await waitFor(() => seen.includes('5'));
    await eventually(() => seen.includes('4'));

    expect(seen).toEqual(['3', '5', '2', '4']);
    expect(tries).toBe(3);
    expect(
      await database.knex('domain_event_outbox_dlq').select('event_type', 'aggregate_id', 'attempts', 'last_error'),
    ).toEqual([
      {
        event_type: 'POISON',
        aggregate_id: 'poisoned',
        attempts: 3,
        last_error: 'no such thing\n    at a line of the stack',
      },
    ]);
    await eventually(async () => (await countByStatus('completed')) === 4);
  });

  it('keeps the order of an aggregate when several of its events fail in one batch', async () => {
    const firstTries = new Set<number>();
    await append(...[1, 2, 3, 4].map((number) => draft('a', number, number % 2 === 1 ? 'FAILS_ONCE' : 'COUNTED')));

    await startRelay(async (events) => {
      const failed = events.filter((event) => event.type === 'FAILS_ONCE' && !firstTries.has(event.id));
      for (const event of failed) firstTries.add(event.id);
      return { failed: failed.map((event) => ({ event, error: 'not yet' })) };
    });
    let overtaken = 0;
    await eventually(async () => {
      const statuses = await database.knex('domain_event_outbox').orderBy('id').pluck<string[]>('status');
      const done = statuses.filter((status) => status === 'completed').length;
      if (statuses.lastIndexOf('completed') >= done) overtaken += 1;
      return done === 4;
    });

    expect(overtaken).toBe(0);
    expect(firstTries.size).toBe(2);
  });

  it('waits before it tries a failed event again', async () => {
    await append(draft('a', 1));
    let tries = 0;
    await startRelay(async (events) => {
      tries += 1;
      return { failed: events.map((event) => ({ event, error: 'no' })) };
    });
    await waitFor(async () => (await countByStatus('failed')) === 1);

    const [row] = await database
      .knex('domain_event_outbox')
      .select<{ available_at: Date; attempts: number; last_error: string; created_at: Date }[]>();

    expect(row).toMatchObject({ attempts: tries, last_error: 'no' });
    expect(row?.available_at.getTime()).toBeGreaterThan(row?.created_at.getTime() ?? Infinity);
  });

  it('counts no attempt when the receiving side is away', async () => {
    let calls = 0;
    const attempts: number[] = [];
    await append(draft('a', 1), draft('b', 2));

    await startRelay(async (events) => {
      calls += 1;
      if (calls <= 3) throw new Error('the queue does not answer');
      attempts.push(...events.map((event) => event.attempts));
      return { failed: [] };
    });
    await waitFor(async () => (await countByStatus('completed')) === 2);

    expect(calls).toBeGreaterThanOrEqual(4);
    expect(attempts).toEqual([1, 1]);
    expect(await database.knex('domain_event_outbox').pluck('attempts')).toEqual([1, 1]);
  });

  it('takes up rows that a dead holder of its shards marked after they had moved', async () => {
    await startRelay(everything, undefined, database, hurried);
    await append(draft('a', 1));
    await waitFor(async () => (await countByStatus('completed')) === 1);

    await database.transaction(async (trx) => {
      await appendEvents(trx, [draft('a', 2)]);
      await trx('domain_event_outbox')
        .where({ status: 'pending' })
        .update({ status: 'processing', locked_by: 'a relay that is no more', attempts: 1 });
    });

    await eventually(async () => (await countByStatus('completed')) === 2, 40_000);
  });

  it('gives back what it claimed while its lease ran out, undelivered and unharmed', async () => {
    const member = await join();
    let isPaused = false;
    let delivered: OutboxEvent[] = [];
    // The pause begins inside the claim: after the relay made sure of its lease.
    const pauseInClaim = (query: { sql: string }): void => {
      if (query.sql.includes('UNION ALL')) isPaused = true;
    };
    database.knex.on('query', pauseInClaim);
    await append(draft('a', 1));

    await startRelay(
      async (events) => {
        delivered = events;
        return { failed: [] };
      },
      { ...member, isCurrent: () => !isPaused && member.isCurrent() },
    );
    await waitFor(async () => isPaused && (await countByStatus('pending')) === 1);
    database.knex.removeListener('query', pauseInClaim);
    expect(delivered).toEqual([]);

    isPaused = false;
    await eventually(() => delivered.length === 1);
    expect(delivered[0]?.attempts).toBe(1);
  });
});
