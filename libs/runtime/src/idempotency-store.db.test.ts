import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { createTestDatabase, testDatabaseKinds, type TestDatabase } from '@omnizap/testkit';
import { connectDatabase, type Database } from './database.ts';
import { createIdempotencyStore, newClaim, type Claim, type IdempotencyStore } from './idempotency-store.ts';
import { createLeaseStore } from './lease-store.ts';
import { createRetention } from './retention.ts';
import { createLogger } from './log.ts';
import { requestRetention } from './request-retention.ts';
import { migrateUp } from './schema.ts';

const hash = (digit: string): string => digit.repeat(64);

describe.each(testDatabaseKinds())('idempotency keys on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;
  let living: IdempotencyStore;
  let dead: IdempotencyStore;

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl);
    await migrateUp(database);
    const processId = randomUUID();
    await createLeaseStore(database).renew(processId, 60_000);
    living = createIdempotencyStore(database, processId);
    dead = createIdempotencyStore(database, randomUUID());
  });
  afterAll(async () => {
    await database.close();
    await test.drop();
  });

  const mark = async (store: IdempotencyStore, claim: Claim, outcome = 'null'): Promise<boolean> =>
    await database.transaction(async (trx) => await store.markWritten(trx, claim, outcome));

  it('are claimed by one of many that ask at the same time', async () => {
    const claims = Array.from({ length: 8 }, () => newClaim(hash('a')));

    const found = await Promise.all(claims.map(async (claim) => await living.claim(claim, hash('f'))));

    const winners = claims.filter((_, index) => found[index] === null);
    expect(winners).toHaveLength(1);
    for (const other of found.filter((one) => one !== null))
      expect(other).toMatchObject({ state: 'claimed', claimId: winners[0]?.claimId, isInFlight: true, answer: null });
  });

  it('are taken over from a process that is gone, which then can write no more', async () => {
    const [before, after] = [newClaim(hash('b')), newClaim(hash('b'))];
    expect(await dead.claim(before, hash('f'))).toBeNull();
    expect(await living.claim(after, hash('f'))).toMatchObject({ state: 'claimed', isInFlight: false });

    expect(await living.takeOver(after, before.claimId)).toBe(true);

    expect([await mark(dead, before), await mark(living, after)]).toEqual([false, true]);
    expect(await living.takeOver(newClaim(hash('b')), after.claimId)).toBe(false);
  });

  it('stay with a living process for five minutes at the most', async () => {
    const claim = newClaim(hash('c'));
    await living.claim(claim, hash('f'));
    const age = async (minutes: number): Promise<void> => {
      await database
        .knex('idempotency_key')
        .where({ key_sha256: hash('c') })
        .update({ claimed_at: new Date(Date.now() - minutes * 60_000) });
    };

    await age(4);
    expect(await living.claim(newClaim(hash('c')), hash('f'))).toMatchObject({ isInFlight: true });
    await age(6);
    expect(await living.claim(newClaim(hash('c')), hash('f'))).toMatchObject({ isInFlight: false });
  });

  it('are as good as new when given up unwritten, and stay marked when something was written', async () => {
    const [refused, written] = [newClaim(hash('d')), newClaim(hash('e'))];
    await living.claim(refused, hash('f'));
    await living.claim(written, hash('f'));
    await mark(living, written, '{"id":1}');

    await living.giveUp(refused);
    await living.giveUp(written);

    expect(await living.claim(newClaim(hash('d')), hash('9'))).toBeNull();
    expect(await living.claim(newClaim(hash('e')), hash('f'))).toMatchObject({
      state: 'written',
      isInFlight: false,
      outcome: '{"id":1}',
    });
  });

  it('mark nothing when the work is rolled back', async () => {
    const claim = newClaim(hash('1'));
    await living.claim(claim, hash('f'));

    const work = database.transaction(async (trx) => {
      await living.markWritten(trx, claim, 'null');
      throw new Error('refused after all');
    });

    await expect(work).rejects.toThrow('refused after all');
    expect(await living.claim(newClaim(hash('1')), hash('f'))).toMatchObject({ state: 'claimed' });
  });

  it('leave after a day, as do the counts of clients that were not seen for one', async () => {
    const hoursAgo = (hours: number): Date => new Date(Date.now() - hours * 3_600_000);
    await database.knex('idempotency_key').delete();
    await living.claim(newClaim(hash('2')), hash('f'));
    await database.knex('idempotency_key').update({ created_at: hoursAgo(25) });
    await living.claim(newClaim(hash('3')), hash('f'));
    const count = { window_number: 1, points: 1, created_at: hoursAgo(50) };
    await database.knex('rate_limit').insert([
      { ...count, limit_key: 'still there', seen_at: hoursAgo(1) },
      { ...count, limit_key: 'long gone', seen_at: hoursAgo(25) },
    ]);

    const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
    await createRetention({ database, log }, { policies: requestRetention, archiveDir: 'unused' }).run();

    expect(await database.knex('idempotency_key').pluck('key_sha256')).toEqual([hash('3')]);
    expect(await database.knex('rate_limit').pluck('limit_key')).toEqual(['still there']);
  });
});
