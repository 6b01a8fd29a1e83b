import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  appendEvents,
  createOutboxStore,
  createRelay,
  shardCount,
  shardLeaseName,
  shardOf,
  type Delivery,
  type Hold,
  type OutboxEvent,
} from '@omnizap/outbox';
import {
  connectDatabase,
  createLeaseStore,
  createLogger,
  createMembership,
  createMetrics,
  createWakeups,
  fromJsonColumn,
  migrateUp,
  type Database,
  type Wakeups,
} from '@omnizap/runtime';
import { createTaskQueues, installTaskQueues, type DeadTask, type TaskHint, type TaskQueues } from '@omnizap/tasks';
import { createTestDatabase, holdLeases, testDatabaseKinds, waitFor, type TestDatabase } from '@omnizap/testkit';
import { v7 as uuidv7 } from 'uuid';
import { createDeadLetters, type DeadLetters } from './dead-letters.ts';
import { keepDeadTask } from './dead-tasks.ts';
import { createSweeper } from './sweeper.ts';
import { taskSettings, type TaskType } from './task-settings.ts';
import { createWorkStateStore } from './work-state-store.ts';

const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
const shards = Array.from({ length: shardCount }, (_, shard) => shard);
const operator = { actor: 'operator', requestId: 'request-1' };
const cadenceMs = {
  classification: 120_000,
  derivative: 120_000,
  curation: 180_000,
  rebuild: 240_000,
  storage: 240_000,
  webhook: 240_000,
};
const numberOf = (event: OutboxEvent): number => (event.payload as { number: number }).number;

describe.each(testDatabaseKinds())('dead letters on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;
  let wakeups: Wakeups;
  let queues: TaskQueues;
  let deadLetters: DeadLetters;
  let hold: Hold;
  let outbox: ReturnType<typeof createOutboxStore>;
  let workState: ReturnType<typeof createWorkStateStore>;
  /** What was announced, although it also goes to the real queues. */
  let announced: TaskHint[];
  const stops: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl, { poolMax: 8 });
    await migrateUp(database);
    await installTaskQueues(taskSettings, { queueUrl: test.queueUrl, log });
    queues = createTaskQueues(taskSettings, { queueUrl: test.queueUrl, log });
    await queues.start();
    wakeups = createWakeups({ queueUrl: test.queueUrl, log });
    await wakeups.start();
    outbox = createOutboxStore(database);
    workState = createWorkStateStore(database);
    const enqueue = (hints: TaskHint[]): Promise<void> => {
      announced.push(...hints);
      return queues.enqueue(hints);
    };
    deadLetters = createDeadLetters({ database, queues: { enqueue }, wakeups, log });
  });
  beforeEach(async () => {
    announced = [];
    const boss = connectDatabase(test.queueUrl);
    await boss.knex.raw('DELETE FROM pgboss.job');
    await boss.close();
    for (const table of [
      'domain_event_outbox',
      'domain_event_outbox_dlq',
      'sticker_worker_task_dlq',
      'dead_letter_history',
      'work_state',
      'admin_action_audit',
    ])
      await database.knex(table).delete();
    hold = { processId: await holdLeases(database, shards.map(shardLeaseName)), token: 'token', shards };
  });
  afterEach(async () => {
    await Promise.all(stops.splice(0).map((stop) => stop()));
  });
  afterAll(async () => {
    await wakeups.stop();
    await queues.stop();
    await database.close();
    await test.drop();
  });

  const append = (aggregateId: string, ...numbers: number[]): Promise<void> =>
    database.transaction((trx) =>
      appendEvents(
        trx,
        numbers.map((number) => ({
          type: 'COUNTED',
          aggregateType: 'counter',
          aggregateId,
          payload: { number, text: '🎉 "quoted"' },
          priority: 85,
          requestId: `request-${number}`,
        })),
      ),
    );

  /** Fails everything that waits for good, as the relay would. */
  async function failAll(error: string | ((event: OutboxEvent) => string)): Promise<void> {
    for (;;) {
      const events = await outbox.claim(hold, 500);
      if (events.length === 0) return;
      for (const event of events)
        await outbox.deadLetter(event, typeof error === 'string' ? error : error(event), hold);
    }
  }

  const ids = async (source: 'outbox' | 'tasks'): Promise<number[]> =>
    (await deadLetters.list(source, {}, { limit: 200 })).letters.map((letter) => letter.id);

  const deadTask = (subjectId: string, changes: Partial<DeadTask> = {}): DeadTask => ({
    id: uuidv7(),
    taskType: 'rebuild',
    subjectId,
    attempts: 9,
    error: `Error: pack ${subjectId} cannot be rebuilt\n    at somewhere`,
    payload: { subject_id: subjectId, event_id: 41, request_id: 'request-9' },
    ...changes,
  });
  const wantedAndDead = async (subjectId: string, changes: Partial<DeadTask> = {}): Promise<DeadTask> => {
    const task = deadTask(subjectId, changes);
    await workState.want([{ taskType: task.taskType as TaskType, subjectId }]);
    await keepDeadTask(database, task);
    return task;
  };
  const stateOf = async (subjectId: string) =>
    database
      .knex('work_state')
      .where({ subject_id: subjectId })
      .first<{ wanted_version: number; failed_version: number; is_due: number; wanted_at: Date }>();

  const newSweeper = () =>
    createSweeper({ database, queues, log }, { cadenceMs, provider: { name: 'x', version: '1' } });

  async function startRelay(deliver: Delivery): Promise<void> {
    await createLeaseStore(database).leave(hold.processId);
    const membership = createMembership(
      { store: createLeaseStore(database), log },
      { processName: 'relay', status: {} },
    );
    await membership.start();
    const metrics = createMetrics({ version: '0', release: 'stable', process: 'relay' });
    const deps = { store: outbox, membership, wakeups, log, metrics };
    const relay = createRelay(deps, { processName: 'relay', deliver });
    await relay.start();
    stops.push(async () => {
      await relay.stop();
      await membership.stop();
    });
  }

  describe('of events', () => {
    it('say everything: the whole error, when it began, where it came from', async () => {
      await append('a', 1);
      const [first] = await outbox.claim(hold, 1);
      await outbox.fail({ event: first as OutboxEvent, error: 'Error: first\n    at line 1', retryInMs: 0 }, hold);
      const failing = await database.knex('domain_event_outbox').first<{ first_failed_at: Date }>('first_failed_at');
      await database.knex('domain_event_outbox').update({ traceparent: 'trace-1' });
      await failAll('Error: last\n    at line 2');
      const [id] = await ids('outbox');

      const { letter, history } = await deadLetters.show('outbox', id ?? 0);

      expect(letter).toMatchObject({
        source: 'outbox',
        type: 'COUNTED',
        aggregateType: 'counter',
        subjectId: 'a',
        itemId: String(first?.id),
        eventId: first?.id,
        attempts: 2,
        maxAttempts: 10,
        priority: 85,
        requestId: 'request-1',
        traceparent: 'trace-1',
        createdAt: first?.createdAt,
        firstFailedAt: failing.first_failed_at,
        error: 'Error: last',
        lastError: 'Error: last\n    at line 2',
        payload: { number: 1, text: '🎉 "quoted"' },
      });
      expect(letter.failedAt.getTime()).toBeGreaterThanOrEqual(letter.firstFailedAt.getTime());
      expect(history).toEqual([]);
    });

    it('began to fail no later than they were given up, also when that was at once', async () => {
      await append('a', 1, 2, 3);
      await failAll('Error: no');

      const { letters } = await deadLetters.list('outbox', {}, { limit: 10 });

      expect(letters).toHaveLength(3);
      for (const letter of letters)
        expect(letter.failedAt.getTime()).toBeGreaterThanOrEqual(letter.firstFailedAt.getTime());
    });

    it('go back to the outbox with their own ids and from zero, and leave a history and an audit entry', async () => {
      await append('a', 1);
      const [before] = await database.knex('domain_event_outbox').select<Record<string, unknown>[]>();
      await failAll('Error: no\n    at all');
      const [id] = await ids('outbox');

      await deadLetters.redrive('outbox', id ?? 0, { ...operator, reason: 'fixed' });

      const [after] = await database.knex('domain_event_outbox').select<Record<string, unknown>[]>();
      const { redriven_at: redrivenAt, available_at: availableAt, ...row } = after ?? {};
      expect(row).toEqual({ ...before, redriven_at: undefined, available_at: undefined });
      expect(redrivenAt).toEqual(availableAt);
      expect(await ids('outbox')).toEqual([]);
      const [settled] = await deadLetters.history('outbox', String(before?.id));
      expect(settled).toMatchObject({ settlement: 'redriven', reason: 'fixed', settledBy: 'operator' });
      expect(settled?.deadLetter).toMatchObject({ id, attempts: 1, last_error: 'Error: no\n    at all' });
      const [audit] = await database.knex('admin_action_audit').select<object[]>();
      expect(audit).toMatchObject({
        actor: 'operator',
        action: 'dead_letter_redriven',
        target_type: 'dead_letter',
        target_id: `outbox:${id}`,
        reason: 'fixed',
        request_id: 'request-1',
      });
    });

    it('are moved once when twenty redrive the same one at the same time', async () => {
      await append('a', 1);
      await failAll('Error: no');
      const [id = 0] = await ids('outbox');

      const results = await Promise.allSettled(
        Array.from({ length: 20 }, () => deadLetters.redrive('outbox', id, operator)),
      );

      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      for (const result of results)
        if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'not-found' });
      expect(await database.knex('domain_event_outbox').pluck('status')).toEqual(['pending']);
      expect(await database.knex('dead_letter_history').pluck('settlement')).toEqual(['redriven']);
      expect(await database.knex('admin_action_audit').pluck('action')).toEqual(['dead_letter_redriven']);
    });

    it('are moved once when several bulk redrives run at the same time', async () => {
      for (let index = 0; index < 30; index += 1)
        await append(`a-${index % 7}`, ...Array.from({ length: 40 }, (_, n) => n));
      await failAll('Error: no');

      const results = await Promise.all(
        Array.from({ length: 4 }, () => deadLetters.settleAll('outbox', {}, { settlement: 'redriven' }, operator)),
      );

      expect(results.map(({ settled }) => settled).reduce((sum, count) => sum + count, 0)).toBe(1_200);
      expect(await database.knex('domain_event_outbox').where({ status: 'pending' }).pluck('id')).toHaveLength(1_200);
      expect(await database.knex('dead_letter_history').pluck('id')).toHaveLength(1_200);
    });

    it('are relayed in the order of their aggregate, before what came after them', async () => {
      await append('a', 1, 2, 3);
      await append('b', 1);
      await failAll('Error: no');
      const delivered: string[] = [];
      await startRelay(async (events) => {
        delivered.push(...events.map((event) => `${event.aggregateId}${numberOf(event)}`));
        return { failed: [] };
      });

      const result = await deadLetters.settleAll('outbox', {}, { settlement: 'redriven', ratePerSecond: 2 }, operator);
      await append('a', 4);
      wakeups.notify('outbox');
      await append('c', 1);
      await waitFor(() => delivered.length === 6);

      expect(result).toMatchObject({ matched: 4, settled: 4, left: 0 });
      expect(delivered.filter((name) => name.startsWith('a'))).toEqual(['a1', 'a2', 'a3', 'a4']);
      // Somebody else's event does not wait for them.
      expect(delivered.indexOf('c1')).toBeLessThan(delivered.indexOf('a3'));
    });

    it('keep that order when the first of them fails again and waits for its next retry', async () => {
      await append('a', 1, 2, 3);
      await failAll('Error: no');
      await deadLetters.settleAll('outbox', {}, { settlement: 'redriven', ratePerSecond: 1_000 }, operator);
      const [first] = await waitFor(async () => {
        const claimed = await outbox.claim(hold, 1);
        return claimed.length > 0 && claimed;
      });

      await outbox.fail({ event: first as OutboxEvent, error: 'Error: again', retryInMs: 3_600_000 }, hold);
      await append('a', 4);
      const late = await database
        .knex('domain_event_outbox')
        .where('available_at', '>', new Date())
        .pluck<number[]>('id');

      expect(numberOf(first as OutboxEvent)).toBe(1);
      expect(late).toEqual([first?.id]);
      expect(await outbox.claim(hold, 10)).toEqual([]);
    });

    it('are put before one of the same aggregate that waits for its retry', async () => {
      // More of their shard than one claim looks at: the retry that is due would come without the redriven one.
      const others = Array.from({ length: 1_000 }, (_, index) => `other-${index}`)
        .filter((id) => shardOf('counter', id) === shardOf('counter', 'a'))
        .slice(0, 10);
      for (const other of others) await append(other, 0);
      await append('a', 1, 2);
      const claimedAll = await outbox.claim(hold, 100);
      const [first, second] = claimedAll.filter((event) => event.aggregateId === 'a') as [OutboxEvent, OutboxEvent];
      await outbox.deadLetter(first, 'Error: no', hold);
      await outbox.fail({ event: second, error: 'Error: later', retryInMs: 0 }, hold);
      await outbox.giveBack(claimedAll, hold);
      const [id = 0] = await ids('outbox');
      await deadLetters.redrive('outbox', id, operator);

      const order: number[] = [];
      for (;;) {
        const claimed = await outbox.claim(hold, 16);
        if (claimed.length === 0) break;
        order.push(...claimed.filter((event) => event.aggregateId === 'a').map(numberOf));
        await outbox.complete(claimed, hold);
      }

      expect(order).toEqual([1, 2]);
    });

    it('are dead letters again, with their history, when they fail again', async () => {
      await append('a', 1);
      await failAll('Error: one');
      const [first = 0] = await ids('outbox');
      await deadLetters.redrive('outbox', first, { ...operator, reason: 'try' });
      await failAll('Error: two');
      const [second = 0] = await ids('outbox');
      await deadLetters.redrive('outbox', second, operator);
      await failAll('Error: three');
      const [third = 0] = await ids('outbox');

      const { letter, history } = await deadLetters.show('outbox', third);

      expect(letter).toMatchObject({ error: 'Error: three', attempts: 1 });
      expect(history.map(({ settlement, reason, deadLetter }) => [settlement, reason, deadLetter.error])).toEqual([
        ['redriven', null, 'Error: two'],
        ['redriven', 'try', 'Error: one'],
      ]);
    });

    it('get their turns one after the other when the redrive is slowed down', async () => {
      for (const aggregate of ['a', 'b', 'c', 'd']) await append(aggregate, 1, 2, 3);
      await failAll('Error: no');

      const { until, settled } = await deadLetters.settleAll(
        'outbox',
        {},
        { settlement: 'redriven', ratePerSecond: 4 },
        operator,
      );

      const rows = await database
        .knex('domain_event_outbox')
        .orderBy('id')
        .select<{ status: string; available_at: Date }[]>('status', 'available_at');
      const start = rows[0]?.available_at.getTime() ?? 0;
      expect(rows.map((row) => row.available_at.getTime() - start)).toEqual(rows.map((_, index) => index * 250));
      expect(new Set(rows.map((row) => row.status))).toEqual(new Set(['failed']));
      expect([settled, until]).toEqual([12, rows.at(-1)?.available_at]);
    });

    it('count neither as a backlog of days nor as dead once they are back', async () => {
      await append('a', 1);
      await database.knex('domain_event_outbox').update({ created_at: new Date('2020-01-01T00:00:00Z') });
      await failAll('Error: no');
      const dead = await outbox.depth();
      const [id = 0] = await ids('outbox');

      await deadLetters.redrive('outbox', id, operator);

      const back = await outbox.depth();
      expect([dead.dlq, dead.pending, back.dlq, back.pending]).toEqual([1, 0, 0, 1]);
      expect(back.oldestSeconds).toBeLessThan(600);
      const [event] = await outbox.claim(hold, 1);
      expect(Date.now() - (event?.createdAt.getTime() ?? 0)).toBeLessThan(600_000);
    });
  });

  describe('of tasks', () => {
    it('say everything, as far as the worker knew it', async () => {
      const firstFailedAt = new Date('2026-01-02T03:04:05.678Z');
      const task = await wantedAndDead('pack', { firstFailedAt, version: 1 });
      const older = deadTask('other', { payload: {} });
      await database.knex('sticker_worker_task_dlq').insert({
        task_id: older.id,
        task_type: 'rebuild',
        subject_id: 'other',
        payload: '{}',
        attempts: 9,
        last_error: null,
      });

      const [olderId = 0, id = 0] = await ids('tasks');
      const { letter } = await deadLetters.show('tasks', id);
      const fromOlderRelease = await deadLetters.show('tasks', olderId);

      expect(letter).toMatchObject({
        source: 'tasks',
        type: 'rebuild',
        subjectId: 'pack',
        itemId: task.id,
        origin: 'rebuild:pack',
        attempts: 9,
        version: 1,
        eventId: 41,
        requestId: 'request-9',
        firstFailedAt,
        error: 'Error: pack pack cannot be rebuilt',
        lastError: task.error,
        payload: task.payload,
      });
      expect(fromOlderRelease.letter).toMatchObject({ lastError: '', version: null, eventId: null });
      expect(fromOlderRelease.letter.firstFailedAt).toEqual(fromOlderRelease.letter.failedAt);
    });

    it('mark the version that failed, so that a change during the last attempt is due', async () => {
      await workState.want([{ taskType: 'rebuild', subjectId: 'pack' }]);
      const task = deadTask('pack', { version: 1 });
      await workState.want([{ taskType: 'rebuild', subjectId: 'pack' }]);

      await keepDeadTask(database, task);

      expect(await stateOf('pack')).toMatchObject({ wanted_version: 2, failed_version: 1, is_due: 1 });
      await keepDeadTask(database, deadTask('pack', { version: 2 }));
      await keepDeadTask(database, deadTask('pack', { version: 1 }));
      expect(await stateOf('pack')).toMatchObject({ wanted_version: 2, failed_version: 2, is_due: 0 });
    });

    it('make their subject due and announce it when they are redriven', async () => {
      await wantedAndDead('pack');
      const [id = 0] = await ids('tasks');
      expect(await stateOf('pack')).toMatchObject({ is_due: 0 });

      await deadLetters.redrive('tasks', id, operator);

      expect(await stateOf('pack')).toMatchObject({ wanted_version: 2, failed_version: 0, is_due: 1 });
      expect(announced).toMatchObject([
        { taskType: 'rebuild', subjectId: 'pack', eventId: 41, requestId: 'request-9' },
      ]);
      expect(await ids('tasks')).toEqual([]);
      expect(await database.knex('admin_action_audit').pluck('action')).toEqual(['dead_letter_redriven']);
    });

    it('are found by the sweep when the process died right after the commit', async () => {
      await wantedAndDead('pack');
      const [id = 0] = await ids('tasks');
      const dying = createDeadLetters({
        database,
        queues: { enqueue: () => Promise.reject(new Error('killed')) },
        wakeups,
        log,
      });

      await dying.redrive('tasks', id, operator);
      expect((await queues.counts()).filter(({ taskType }) => taskType === 'rebuild')).toEqual([]);
      await database.knex('work_state').update({ wanted_at: new Date(Date.now() - 60_000) });
      await newSweeper().pass();

      const [waiting] = await queues.counts();
      expect(waiting).toMatchObject({ taskType: 'rebuild', state: 'created', count: 1 });
    });

    it('are not swept before their turn when the redrive is slowed down, and hold back no fresh change', async () => {
      for (const subject of ['p0', 'p1', 'p2']) await wantedAndDead(subject);

      const { until } = await deadLetters.settleAll(
        'tasks',
        {},
        { settlement: 'redriven', ratePerSecond: 0.01 },
        operator,
      );

      expect(announced.map((hint) => [hint.subjectId, hint.startAfterSeconds ?? 0])).toEqual([
        ['p0', 0],
        ['p1', 100],
        ['p2', 200],
      ]);
      const wantedAt = await Promise.all(
        ['p0', 'p1', 'p2'].map(async (subject) => (await stateOf(subject))?.wanted_at),
      );
      const start = wantedAt[0]?.getTime() ?? 0;
      expect(wantedAt.map((at) => (at?.getTime() ?? 0) - start)).toEqual([0, 100_000, 200_000]);
      expect(until).toEqual(wantedAt[2]);
      await newSweeper().pass();
      await queues.enqueue([{ taskType: 'rebuild', subjectId: 'p2', startAfterSeconds: 0 }]);
      const taken: string[] = [];
      await waitFor(async () => {
        taken.push(...(await queues.fetch('rebuild', 'stable', 10)).map((task) => task.data.subject_id));
        return taken.length >= 2;
      });
      expect(taken.toSorted()).toEqual(['p0', 'p2']);
    });

    it('stay settled when their worker’s death is reported late', async () => {
      const task = await wantedAndDead('pack');
      const [id = 0] = await ids('tasks');
      await deadLetters.redrive('tasks', id, operator);

      await keepDeadTask(database, task);

      expect(await ids('tasks')).toEqual([]);
      expect(await stateOf('pack')).toMatchObject({ is_due: 1, failed_version: 0 });
      await keepDeadTask(database, deadTask('pack'));
      const [again = 0] = await ids('tasks');
      expect((await deadLetters.show('tasks', again)).history).toMatchObject([{ settlement: 'redriven' }]);
    });

    it('are kept although their error holds what a table cannot', async () => {
      await wantedAndDead('pack', { error: `Error: a\0b ${'x'.repeat(100_000)}` });

      const [id = 0] = await ids('tasks');
      const { letter } = await deadLetters.show('tasks', id);

      expect(letter.lastError).toMatch(/^Error: ab x{100}/);
      expect(letter.lastError.length).toBeLessThan(50_000);
    });
  });

  describe('to a person', () => {
    beforeEach(async () => {
      for (let index = 0; index < 25; index += 1) {
        await wantedAndDead(`pack-${index}`, {
          taskType: index < 20 ? 'rebuild' : 'curation',
          error: index % 5 === 0 ? `Error: 100% of ${index} is gone_` : `Error: timeout after ${index} ms`,
        });
      }
      await database
        .knex('sticker_worker_task_dlq')
        .where('subject_id', 'pack-3')
        .update({ failed_at: new Date('2026-01-01T00:00:00Z') });
    });

    const subjects = async (filter: Parameters<DeadLetters['list']>[1]): Promise<string[]> =>
      (await deadLetters.list('tasks', filter, { limit: 200 })).letters.map((letter) => letter.subjectId);

    it('come in pages, the newest first, each once', async () => {
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await deadLetters.list('tasks', { type: 'rebuild' }, { limit: 7, cursor });
        seen.push(...page.letters.map((letter) => letter.subjectId));
        cursor = page.nextCursor ?? undefined;
        // What fails meanwhile is newer than every page that follows.
        await wantedAndDead(`later-${seen.length}`);
      } while (cursor !== undefined);

      expect(seen).toEqual(Array.from({ length: 20 }, (_, index) => `pack-${19 - index}`));
      for (const wrong of ['x', Buffer.from('outbox:3').toString('base64url'), ''])
        await expect(deadLetters.list('tasks', {}, { limit: 7, cursor: wrong })).rejects.toMatchObject({
          code: 'invalid-cursor',
        });
    });

    it('are found by type, subject, time and part of the error as it is written', async () => {
      expect(await subjects({ type: 'curation' })).toHaveLength(5);
      expect(await subjects({ subjectId: 'pack-7' })).toEqual(['pack-7']);
      expect(await subjects({ failedBefore: new Date('2026-01-02T00:00:00Z') })).toEqual(['pack-3']);
      expect(await subjects({ failedAfter: new Date('2026-01-02T00:00:00Z') })).toHaveLength(24);
      expect(await subjects({ errorContains: '100% of' })).toHaveLength(5);
      expect(await subjects({ errorContains: 'gone_' })).toHaveLength(5);
      expect(await subjects({ errorContains: '%gone' })).toEqual([]);
      expect(await subjects({ errorContains: '1_0' })).toEqual([]);
      expect(await subjects({ errorContains: "'; DROP" })).toEqual([]);
      expect(await subjects({ type: 'rebuild', errorContains: 'after 11 ms' })).toEqual(['pack-11']);
    });

    it('are shown as the few causes behind them', async () => {
      const { groups, total, examined } = await deadLetters.groups('tasks', {});

      expect(groups.map(({ type, error, count }) => [type, error, count])).toEqual([
        ['rebuild', 'Error: timeout after … ms', 16],
        ['curation', 'Error: timeout after … ms', 4],
        ['rebuild', 'Error: …% of … is gone_', 4],
        ['curation', 'Error: …% of … is gone_', 1],
      ]);
      expect([total, examined]).toEqual([25, 25]);
      for (const { type, contains, count } of groups)
        expect(await subjects({ type, errorContains: contains })).toHaveLength(count);
    });

    it('are previewed without a change', async () => {
      const before = await ids('tasks');

      const preview = await deadLetters.preview('tasks', { type: 'rebuild' }, { limit: 15, ratePerSecond: 1 });

      expect(preview).toMatchObject({ matched: 20, settled: 15, left: 5, groups: [{ count: 16 }, { count: 4 }] });
      expect(preview.firstIds).toEqual(before.toReversed().slice(0, 10));
      expect(preview.until).toBeInstanceOf(Date);
      expect(await ids('tasks')).toEqual(before);
      expect(announced).toEqual([]);
      for (const table of ['dead_letter_history', 'admin_action_audit'])
        expect(await database.knex(table).pluck('id')).toEqual([]);
      expect(await database.knex('work_state').where({ is_due: 1 }).pluck('subject_id')).toEqual([]);
    });

    it('are redriven by the same filter, the oldest first, as many as asked for', async () => {
      const result = await deadLetters.settleAll(
        'tasks',
        { type: 'rebuild' },
        { settlement: 'redriven', limit: 15 },
        { ...operator, reason: 'the disk is back' },
      );

      expect(result).toEqual({ matched: 20, settled: 15, left: 5, until: null });
      expect(await subjects({ type: 'rebuild' })).toEqual(['pack-19', 'pack-18', 'pack-17', 'pack-16', 'pack-15']);
      expect(await subjects({ type: 'curation' })).toHaveLength(5);
      expect(announced.map((hint) => hint.subjectId)).toEqual(
        Array.from({ length: 15 }, (_, index) => `pack-${index}`),
      );
      const [entry] = await database.knex('admin_action_audit').select<{ state_before: unknown }[]>();
      expect(entry).toMatchObject({
        action: 'dead_letters_redriven',
        target_id: 'tasks:*',
        reason: 'the disk is back',
      });
      expect(fromJsonColumn(entry?.state_before)).toMatchObject({ count: 15 });
    });

    it('are discarded with a reason only', async () => {
      const [id = 0] = await ids('tasks');
      for (const reason of [undefined, '', '  '])
        await expect(deadLetters.discard('tasks', id, { ...operator, reason })).rejects.toMatchObject({
          code: 'validation-failed',
        });
      await expect(deadLetters.settleAll('tasks', {}, { settlement: 'discarded' }, operator)).rejects.toMatchObject({
        code: 'validation-failed',
      });

      await deadLetters.discard('tasks', id, { ...operator, reason: 'the pack is gone' });
      await expect(deadLetters.discard('tasks', id, { ...operator, reason: 'again' })).rejects.toMatchObject({
        code: 'not-found',
      });

      expect(await ids('tasks')).not.toContain(id);
      expect(announced).toEqual([]);
      expect(await stateOf('pack-24')).toMatchObject({ is_due: 0 });
      expect(await deadLetters.history('tasks', 'curation:pack-24')).toMatchObject([
        { settlement: 'discarded', reason: 'the pack is gone', settledBy: 'operator' },
      ]);
      expect(await database.knex('admin_action_audit').pluck('action')).toEqual(['dead_letter_discarded']);
    });
  });
});
