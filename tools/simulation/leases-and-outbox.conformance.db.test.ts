import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createDeadLetters } from '@omnizap/catalog';
import {
  appendEvents,
  createOutboxStore,
  shardCount,
  shardLeaseName,
  type EventDraft,
  type EventSource,
  type OutboxEvent,
} from '@omnizap/outbox';
import {
  connectDatabase,
  createLeaseStore,
  createLogger,
  migrateUp,
  type Database,
  type LeaseStore,
} from '@omnizap/runtime';
import { createTestDatabase, testDatabaseKinds, type TestDatabase } from '@omnizap/testkit';
import { createAtOnce } from './at-once.ts';
import { createCatalogueTables, createMemoryCatalogue } from './memory-catalogue.ts';
import { createMemoryDeadLetters } from './memory-dead-letters.ts';
import { createLeaseTables, createMemoryLeaseStore, isLive } from './memory-lease-store.ts';
import { createMemoryOutboxStore, createOutboxTables, newRow } from './memory-outbox-store.ts';
import { soundRules } from './rules.ts';
import { createSeededRandom } from './seeded-random.ts';

const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
const seeds = [1, 2, 3];
const operations = 150;
/** Time passes by shifting what is stored, in steps that are far from every limit: the test's own seconds do not count. */
const stepMs = 40_000;
const leaseMs = 60_000;
const retryMs = 60_000;

describe.each(testDatabaseKinds())('leases and outbox in memory, beside those on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl);
    await migrateUp(database);
  });
  beforeEach(async () => {
    for (const table of [
      ...['domain_event_outbox', 'domain_event_outbox_dlq', 'dead_letter_history', 'admin_action_audit'],
      ...['held_lease', 'process_status', 'process_lease'],
    ])
      await database.knex(table).delete();
  });
  afterAll(async () => {
    await database.close();
    await test.drop();
  });

  function createPair() {
    const { now, send, history, advance, transactionsOn } = createAtOnce();
    const leases = createLeaseTables();
    const outbox = createOutboxTables();
    const tables = createCatalogueTables();
    const own = { send, now, history, rules: soundRules, processId: 'redriver' };
    const catalogue = createMemoryCatalogue({
      ...{ ...own, tables, outbox, transactions: transactionsOn(tables.locks), maxAttempts: 10 },
    });
    const memoryDead = createMemoryDeadLetters({ ...own, tables, outbox, catalogue });
    const realDead = createDeadLetters({
      ...{ database, log, queues: { enqueue: async () => undefined }, wakeups: { notify: () => undefined } },
    });
    /** The real id of each event, by its number in memory. */
    const realIds = new Map<number, number>();
    const numberOf = (realId: number): number => [...realIds].find(([, id]) => id === realId)?.[0] ?? Number.NaN;

    return {
      now,
      leases: {
        real: createLeaseStore(database),
        memory: createMemoryLeaseStore({ ...own, tables: leases }),
      } satisfies Record<string, LeaseStore>,
      outbox: {
        real: createOutboxStore(database),
        memory: createMemoryOutboxStore({ ...own, tables: outbox, leases }),
      } satisfies Record<string, EventSource>,
      numberOf,

      async append(draft: EventDraft): Promise<void> {
        await database.transaction((trx) => appendEvents(trx, [draft]));
        const row = newRow(outbox, draft, { now: now(), maxAttempts: 10 });
        outbox.open.set(row.event.id, row);
        const [id] = await database.knex('domain_event_outbox').max<{ id: number }[]>({ id: 'id' });
        realIds.set(row.event.id, id?.id ?? 0);
      },

      async redrive(number: number): Promise<[boolean, boolean]> {
        const row = await database
          .knex('domain_event_outbox_dlq')
          .where({ outbox_event_id: realIds.get(number) ?? 0 })
          .first<{ id: number } | undefined>('id');
        const real = await realDead.redrive('outbox', row?.id ?? 0, { actor: 'test' }).then(
          () => true,
          () => false,
        );
        return [real, await memoryDead.redriveEvent(number)];
      },

      async letTimePass(): Promise<void> {
        advance(stepMs);
        const earlier = (column: string) =>
          database.knex.raw(
            kind === 'mysql'
              ? `${column} - INTERVAL ${stepMs * 1_000} MICROSECOND`
              : `${column} - interval '${stepMs} milliseconds'`,
          );
        await database.knex('process_lease').update({ expires_at: earlier('expires_at') });
        await database.knex('domain_event_outbox').update({ available_at: earlier('available_at') });
      },

      /** Everything that is stored, without times. */
      async rows(): Promise<[unknown, unknown]> {
        const open = await database
          .knex('domain_event_outbox')
          .whereNot({ status: 'completed' })
          .orderBy('id')
          .select<{ id: number; status: string; attempts: number; locked_by: string | null; shard: number }[]>(
            ...['id', 'status', 'attempts', 'locked_by', 'shard'],
          );
        const dead = await database.knex('domain_event_outbox_dlq').pluck<number[]>('outbox_event_id');
        const held = await database.knex('held_lease').orderBy('name').select('name', 'process_id', 'epoch');
        return [
          {
            open: open.map(({ id, ...row }) => ({ number: numberOf(id), ...row })),
            dead: dead.map(numberOf).sort(),
            held,
          },
          {
            open: [...outbox.open.values()]
              .sort((a, b) => a.event.id - b.event.id)
              .map(({ event, status, attempts, lockedBy, shard }) => ({
                ...{ number: event.id, status, attempts, locked_by: lockedBy, shard },
              })),
            dead: [...outbox.dead.keys()].sort(),
            held: [...leases.held]
              .sort(([a], [b]) => (a < b ? -1 : 1))
              .map(([name, { processId, epoch }]) => ({ name, process_id: processId, epoch })),
          },
        ];
      },
      isLive: (processId: string) => isLive(leases, processId, now()),
    };
  }

  it.each(seeds)('answer alike to the same drawn operations (seed %i)', async (seed) => {
    const random = createSeededRandom(seed);
    const pick = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)] as T;
    const pair = createPair();
    const processes = Array.from({ length: 3 }, () => randomUUID());
    const names = Array.from({ length: shardCount }, (_, shard) => shardLeaseName(shard));
    const claims: { hold: Parameters<EventSource['claim']>[0]; real: OutboxEvent[]; memory: OutboxEvent[] }[] = [];
    const said: string[] = [];

    /** Both answers to one question, compared. */
    async function both<T>(what: string, ask: { real: () => Promise<T>; memory: () => Promise<T> }): Promise<T> {
      const [real, memory] = [await ask.real(), await ask.memory()];
      said.push(what);
      expect([said.slice(-8), real]).toEqual([said.slice(-8), memory]);
      return real;
    }
    const onLeases = <T>(what: string, ask: (store: LeaseStore) => Promise<T>): Promise<T> =>
      both(what, { real: () => ask(pair.leases.real), memory: () => ask(pair.leases.memory) });
    /** A claim of the past and those of its events that are asked about. */
    const onClaim = async <T>(
      what: string,
      ask: (store: EventSource, events: OutboxEvent[], hold: (typeof claims)[number]['hold']) => Promise<T>,
    ): Promise<void> => {
      const claim = pick(claims);
      if (claim === undefined) return;
      const isChosen = claim.real.map(() => random() < 0.7);
      const chosen = (events: OutboxEvent[]): OutboxEvent[] => events.filter((_, index) => isChosen[index]);
      await both(what, {
        real: () => ask(pair.outbox.real, chosen(claim.real), claim.hold),
        memory: () => ask(pair.outbox.memory, chosen(claim.memory), claim.hold),
      });
    };

    await onLeases('declare', (store) => store.declare(names));
    const steps: [number, () => Promise<unknown>][] = [
      [
        8,
        () =>
          pair.append({
            ...{ type: 'COUNTED', aggregateType: 'counter', aggregateId: pick(['a', 'b', 'c', 'd']), payload: {} },
          }),
      ],
      [
        6,
        async () => {
          const holders = await pair.leases.real.holders(names);
          // Mostly one that may: what the others are refused is soon seen.
          const holder = pick(holders.filter((row) => row.isLive))?.processId ?? pick(processes);
          const processId = random() < 0.8 ? holder : pick(processes);
          const ownShards = holders.flatMap((row, shard) => (row.processId === processId ? [shard] : []));
          const shards = random() < 0.8 && ownShards.length > 0 ? ownShards : [0, 3, 6, 15];
          const hold = { processId, token: `${processId}:${said.length}`, shards };
          const limit = pick([2, 500]);
          // Without it everything is soon stuck behind claims that nobody settled.
          if (random() < 0.5)
            await both('reclaim', {
              real: () => pair.outbox.real.reclaim(hold),
              memory: () => pair.outbox.memory.reclaim(hold),
            });
          const real = await pair.outbox.real.claim(hold, limit);
          const memory = await pair.outbox.memory.claim(hold, limit);
          said.push(`claim ${real.length}`);
          const shown = (events: OutboxEvent[], toNumber: (id: number) => number) =>
            events.map(({ id, aggregateId, attempts, maxAttempts, priority }) => ({
              ...{ number: toNumber(id), aggregateId, attempts, maxAttempts, priority },
            }));
          expect([said.slice(-8), shown(real, pair.numberOf)]).toEqual([said.slice(-8), shown(memory, (id) => id)]);
          if (real.length > 0) claims.push({ hold, real, memory });
        },
      ],
      [3, () => onClaim('complete', (store, events, hold) => store.complete(events, hold))],
      [1, () => onClaim('give back', (store, events, hold) => store.giveBack(events, hold))],
      [
        2,
        () =>
          onClaim('fail', async (store, [event], hold) => {
            if (event) await store.fail({ event, error: 'no', retryInMs: retryMs }, hold);
          }),
      ],
      [
        1,
        () =>
          onClaim('bury', async (store, [event], hold) => {
            if (event) await store.deadLetter(event, 'no', hold);
          }),
      ],
      [1, () => onClaim('reclaim', (store, _events, hold) => store.reclaim(hold))],
      [
        1,
        async () => {
          const answers = await pair.redrive(pick([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]));
          said.push('redrive');
          expect([said.slice(-8), answers[0]]).toEqual([said.slice(-8), answers[1]]);
        },
      ],
      [
        4,
        () => {
          const processId = pick(processes);
          return onLeases('renew', (store) => store.renew(processId, leaseMs));
        },
      ],
      [
        4,
        async () => {
          const [processId, name, isStale] = [pick(processes), pick(names), random() < 0.2];
          const [row] = await pair.leases.real.holders([name]);
          const wanted = isStale ? [name] : names;
          for (const taken of wanted) {
            const epoch = isStale ? (row?.epoch ?? 0) + 1 : ((await pair.leases.real.holders([taken]))[0]?.epoch ?? 0);
            await onLeases('take', (store) => store.take(processId, taken, epoch));
          }
        },
      ],
      [
        1,
        () => {
          const [processId, some] = [pick(processes), names.filter(() => random() < 0.3)];
          return some.length === 0 ? Promise.resolve() : onLeases('release', (store) => store.release(processId, some));
        },
      ],
      [1, () => onLeases('holders', (store) => store.holders(names))],
      [
        1,
        () => {
          const processId = pick(processes);
          return onLeases('status', (store) => store.writeStatus(processId, pick(['relay']), { at: 1 }));
        },
      ],
      [1, () => onLeases('live', (store) => store.liveProcesses())],
      [
        1,
        () => {
          const processId = pick(processes);
          return random() < 0.4 ? onLeases('leave', (store) => store.leave(processId)) : Promise.resolve();
        },
      ],
      [2, () => pair.letTimePass()],
    ];
    const drawn = steps.flatMap(([weight, step]) => Array<typeof step>(weight).fill(step));

    for (let index = 0; index < operations; index += 1) {
      await pick(drawn)();
      const [real, memory] = await pair.rows();
      expect([said.slice(-8), real]).toEqual([said.slice(-8), memory]);
    }
    expect(said.filter((what) => what.startsWith('claim') && what !== 'claim 0').length).toBeGreaterThan(3);
  });
});
