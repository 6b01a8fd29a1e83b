import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createDeadLetters, createWorkStateStore, keepDeadTask } from '@omnizap/catalog';
import { connectDatabase, createLogger, migrateUp, type Database } from '@omnizap/runtime';
import type { DeadTask } from '@omnizap/tasks';
import { createTestDatabase, testDatabaseKinds, type TestDatabase } from '@omnizap/testkit';
import { createAtOnce } from './at-once.ts';
import { createCatalogueTables, createMemoryCatalogue, simulatedTypes, type Subject } from './memory-catalogue.ts';
import { createMemoryDeadLetters } from './memory-dead-letters.ts';
import { createOutboxTables } from './memory-outbox-store.ts';
import { soundRules } from './rules.ts';
import { createSeededRandom } from './seeded-random.ts';

const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
const seeds = [1, 2, 3];
const operations = 120;
/** Time passes by shifting what is stored, in steps that are far from every limit. */
const stepMs = 40_000;
const sweepGraceMs = 60_000;

describe.each(testDatabaseKinds())('work state in memory, beside that on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl);
    await migrateUp(database);
  });
  beforeEach(async () => {
    for (const table of ['work_state', 'sticker_worker_task_dlq', 'dead_letter_history', 'admin_action_audit'])
      await database.knex(table).delete();
  });
  afterAll(async () => {
    await database.close();
    await test.drop();
  });

  it.each(seeds)('answers alike to the same drawn operations (seed %i)', async (seed) => {
    const random = createSeededRandom(seed);
    const pick = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)] as T;
    const { now, send, history, advance, transactionsOn } = createAtOnce();
    const tables = createCatalogueTables();
    const outbox = createOutboxTables();
    const own = { send, now, history, rules: soundRules, processId: 'test' };
    const memory = createMemoryCatalogue({
      ...{ ...own, tables, outbox, transactions: transactionsOn(tables.locks), maxAttempts: 10 },
    });
    const memoryDead = createMemoryDeadLetters({ ...own, tables, outbox, catalogue: memory });
    const real = createWorkStateStore(database);
    const realDead = createDeadLetters({
      ...{ database, log, queues: { enqueue: async () => undefined }, wakeups: { notify: () => undefined } },
    });
    const said: string[] = [];
    const tasks: DeadTask[] = [];
    const drawSubject = (): Subject => ({ taskType: pick(simulatedTypes), subjectId: pick(['a', 'b']) });

    function compare(what: string, inDatabase: unknown, inMemory: unknown): void {
      said.push(what);
      expect([said.slice(-8), inDatabase]).toEqual([said.slice(-8), inMemory]);
    }

    const steps: [number, () => Promise<unknown>][] = [
      [
        5,
        async () => {
          const subjects = Array.from({ length: 1 + Math.floor(random() * 3) }, drawSubject);
          compare('want', await real.want(subjects), await memory.transaction((trx) => memory.want(trx, subjects)));
        },
      ],
      [
        6,
        async () => {
          const [subject, version] = [drawSubject(), 1 + Math.floor(random() * 12)];
          compare(
            `done ${version}`,
            await database.transaction((trx) => real.markDone(trx, subject, version)),
            await memory.transaction((trx) => memory.ledger.markDone(trx, subject, version)),
          );
        },
      ],
      [
        4,
        async () => {
          const subject = drawSubject();
          const found = await real.read(subject.taskType, subject.subjectId);
          compare('read', found, await memory.ledger.read(subject.taskType, subject.subjectId));
          // The look at what is wanted now, as a handler's.
          const version = found?.wantedVersion ?? 1;
          compare('idle', await real.markIdle(subject, version), await memory.ledger.markIdle(subject, version));
        },
      ],
      [
        3,
        async () => {
          const { taskType, subjectId } = drawSubject();
          const isAgain = tasks.length > 0 && random() < 0.4;
          const version = random() < 0.5 ? { version: 1 + Math.floor(random() * 8) } : {};
          const fresh = {
            ...{ id: randomUUID(), taskType, subjectId, attempts: 3, error: 'no', payload: {} },
            ...version,
          };
          const task = isAgain ? pick(tasks) : fresh;
          tasks.push(task);
          compare('keep', await keepDeadTask(database, task), await memory.keepDead(task));
        },
      ],
      [
        2,
        async () => {
          const task = pick(tasks) as DeadTask | undefined;
          if (!task) return;
          const row = await database
            .knex('sticker_worker_task_dlq')
            .where({ task_id: task.id })
            .first<{ id: number } | undefined>('id');
          const inDatabase = await realDead.redrive('tasks', row?.id ?? 0, { actor: 'test' }).then(
            () => true,
            () => false,
          );
          const subject = { taskType: task.taskType, subjectId: task.subjectId } as Subject;
          compare(
            'redrive',
            inDatabase,
            await memoryDead.redriveTask({ taskId: task.id, subject, attempts: task.attempts }),
          );
        },
      ],
      [
        2,
        async () => {
          const taskType = pick(simulatedTypes);
          const due = await real.due(taskType, { olderThanMs: sweepGraceMs, after: null, limit: 100 });
          const inMemory = await memory.due(taskType, sweepGraceMs);
          // Subjects that were wanted in one statement are of one age here, and nearly so there.
          compare('due', due.map(({ subjectId }) => subjectId).sort(), inMemory.sort());
        },
      ],
      [
        2,
        async () => {
          advance(stepMs);
          const earlier =
            kind === 'mysql'
              ? `wanted_at - INTERVAL ${stepMs * 1_000} MICROSECOND`
              : `wanted_at - interval '${stepMs} milliseconds'`;
          await database.knex('work_state').update({ wanted_at: database.knex.raw(earlier) });
        },
      ],
    ];
    const drawn = steps.flatMap(([weight, step]) => Array<typeof step>(weight).fill(step));

    for (let index = 0; index < operations; index += 1) {
      await pick(drawn)();
      const rows = await database
        .knex('work_state')
        .orderBy(['task_type', 'subject_id'])
        .select<Record<string, number | string>[]>(
          ...['task_type', 'subject_id', 'wanted_version', 'done_version', 'seen_version', 'failed_version'],
        );
      const dead = await database.knex('sticker_worker_task_dlq').pluck<string[]>('task_id');
      compare(
        'rows',
        {
          states: rows.map((row) => Object.values(row).join(' ')),
          dead: dead.sort(),
        },
        {
          states: [...tables.workState]
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(
              ([key, { wanted, done, seen, failed }]) => `${key.replace(':', ' ')} ${wanted} ${done} ${seen} ${failed}`,
            ),
          dead: [...tables.deadTasks.keys()].sort(),
        },
      );
    }
  });
});
