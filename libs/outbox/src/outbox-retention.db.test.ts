import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectDatabase, createLogger, createRetention, migrateUp, type Database } from '@omnizap/runtime';
import { createTestDatabase, testDatabaseKinds, type TestDatabase } from '@omnizap/testkit';
import { outboxRetention } from './outbox-retention.ts';

const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
const daysAgo = (days: number): Date => new Date(Date.now() - days * 86_400_000);

describe.each(testDatabaseKinds())('retention of events on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl);
    await migrateUp(database);
  });
  afterAll(async () => {
    await database.close();
    await test.drop();
  });

  it('removes events a week after they were finished, and none that still waits, however old', async () => {
    const event = { event_type: 'TOLD', aggregate_type: 'thing', payload: '{}', shard: 1 };
    const events: [string, string, Date, Date | null][] = [
      ['finished long ago', 'completed', daysAgo(20), daysAgo(8)],
      ['finished after a long wait', 'completed', daysAgo(20), daysAgo(2)],
      ['still waiting', 'pending', daysAgo(20), null],
      ['waiting for its retry', 'failed', daysAgo(20), null],
      ['being relayed', 'processing', daysAgo(20), null],
      ['finished on time', 'completed', daysAgo(9), daysAgo(9)],
      ['new', 'completed', daysAgo(6), daysAgo(6)],
    ];
    await database.knex('domain_event_outbox').insert(
      events.map(([aggregate_id, status, created_at, processed_at]) => ({
        ...event,
        aggregate_id,
        status,
        created_at,
        processed_at,
      })),
    );

    const runs = await createRetention({ database, log }, { policies: outboxRetention, archiveDir: '/nowhere' }).run();

    expect(runs).toMatchObject([
      { policy: 'finished-events', removed: 2, archives: [] },
      { policy: 'settled-dead-letters', removed: 0 },
    ]);
    expect(await database.knex('domain_event_outbox').orderBy('id').pluck('aggregate_id')).toEqual(
      events.map(([name]) => name).filter((name) => !['finished long ago', 'finished on time'].includes(name)),
    );
  });
});
