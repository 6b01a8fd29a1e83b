import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase, spawnProcess, testDatabaseKinds, waitFor, type TestDatabase } from '@omnizap/testkit';
import { connectDatabase, type Database } from './database.ts';
import { createLeaseStore } from './lease-store.ts';
import { createLogger } from './log.ts';
import { createMembership, type Membership } from './membership.ts';
import { migrateUp } from './schema.ts';

const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
/** The promise: what a dead process held is held elsewhere within this. */
const moveWithinMs = 10_000;

describe.each(testDatabaseKinds())('membership on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;
  const members: Membership[] = [];
  let round = 0;
  let names: string[] = [];

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl);
    await migrateUp(database);
  });
  afterEach(async () => {
    await Promise.all(members.splice(0).map((member) => member.stop()));
  });
  afterAll(async () => {
    await database.close();
    await test.drop();
  });

  const freshNames = (count: number): string[] => {
    round += 1;
    return Array.from({ length: count }, (_, index) => `shard-${round}-${index}`);
  };

  async function join(via: Database = database): Promise<Membership> {
    const member = createMembership(
      { store: createLeaseStore(via), log },
      { processName: 'relay', status: { url: 'somewhere' } },
    );
    members.push(member);
    await member.start();
    return member;
  }

  /** What a long pause of the process looks like to everybody else. */
  const expire = (member: Membership): Promise<unknown> =>
    database
      .knex('process_lease')
      .where({ process_id: member.processId })
      .update({ expires_at: new Date(0) });

  const namesOf = (holdings: { name: string }[]): string[] => holdings.map((holding) => holding.name).sort();

  it('gives each of two members its share, and everything to the one that stays', async () => {
    names = freshNames(16);
    const first = await join();
    expect(namesOf(await first.balance(names, 16))).toEqual([...names].sort());

    const second = await join();
    const ofFirst = namesOf(await first.balance(names, 8));
    const ofSecond = namesOf(await second.balance(names, 8));

    expect([ofFirst.length, ofSecond.length]).toEqual([8, 8]);
    expect([...ofFirst, ...ofSecond].sort()).toEqual([...names].sort());
    await first.stop();
    expect(namesOf(await second.balance(names, 16))).toEqual([...names].sort());
  });

  it('never gives one name to two members that ask at the same time', async () => {
    names = freshNames(12);
    const rivals = await Promise.all([join(), join(), join()]);

    const held = await Promise.all(rivals.map((member) => member.balance(names, 12)));

    const all = held.flat().map((holding) => holding.name);
    expect(new Set(all).size).toBe(all.length);
  });

  it('moves what was held by a member whose lease ran out, with a higher epoch, and tells that member', async () => {
    names = freshNames(4);
    const [moved, unwanted] = [names.slice(0, 3), names.slice(3)];
    const [former, next] = [await join(), await join()];
    const before = new Map((await former.balance(names, 4)).map(({ name, epoch }) => [name, epoch]));
    const session = former.session();

    await expire(former);
    const after = await next.balance(moved, 3);

    expect(namesOf(after)).toEqual([...moved].sort());
    for (const { name, epoch } of after) expect(epoch).toBeGreaterThan(before.get(name) ?? Infinity);
    await waitFor(() => former.session() > session, { description: 'a new session of the former holder' });
    expect(await former.balance(moved, 3)).toEqual([]);
    // What nobody wanted comes back as a new holding: work done under the old one is void.
    const [again] = await former.balance(unwanted, 1);
    expect(again?.epoch).toBeGreaterThan(before.get(unwanted[0] ?? '') ?? Infinity);
  });

  it('joins as soon as the database lets it, and can be stopped while it waits', async () => {
    await database.knex.schema.renameTable('process_lease', 'process_lease_away');
    const member = createMembership({ store: createLeaseStore(database), log }, { processName: 'relay', status: {} });
    const impatient = createMembership(
      { store: createLeaseStore(database), log },
      { processName: 'relay', status: {} },
    );
    const joining = member.start();
    const giving = impatient.start();
    await impatient.stop();
    await giving;
    expect(member.isCurrent()).toBe(false);

    await database.knex.schema.renameTable('process_lease_away', 'process_lease');
    await joining;
    members.push(member);

    expect(member.isCurrent()).toBe(true);
    expect(impatient.isCurrent()).toBe(false);
  });

  it('lists the living with their status, and nobody who left or ran out', async () => {
    const [staying, leaving, paused] = [await join(), await join(), await join()];

    await leaving.stop();
    await expire(paused);
    staying.setStatus({ url: 'elsewhere' });

    const seen = await waitFor(async () => {
      const live = await staying.processes();
      return live.some((process) => process.status.url === 'elsewhere') && live;
    });
    const ids = seen.map((process) => process.processId);
    expect(ids).toContain(staying.processId);
    expect(ids).not.toContain(leaving.processId);
  });

  it(`stops trusting itself without renewals, and loses what it held within ${moveWithinMs / 1_000} s, as after SIGKILL`, async () => {
    names = freshNames(2);
    const [ofKilled, ofCutOff] = [names.slice(0, 1), names.slice(1)] as [string[], string[]];
    const heir = await join();
    const killed = await spawnProcess('libs/runtime/test/hold-leases.ts', [test.databaseUrl, ...ofKilled]);
    const ownConnection = connectDatabase(test.databaseUrl);
    const cutOff = await join(ownConnection);
    await cutOff.balance(ofCutOff, 1);
    expect(await heir.balance(names, 2)).toEqual([]);
    expect(cutOff.isCurrent()).toBe(true);

    const startedAt = performance.now();
    killed.kill('SIGKILL');
    await ownConnection.close();

    await waitFor(() => !cutOff.isCurrent(), { description: 'the member without renewals to notice' });
    // On the safe side: it stops before anybody else can start.
    expect(await heir.balance(ofCutOff, 1)).toEqual([]);
    await waitFor(async () => (await heir.balance(names, 2)).length === 2, { description: 'the heir to hold both' });
    expect(performance.now() - startedAt).toBeLessThan(moveWithinMs);
    await killed.exited;
  });
});
