import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { connectDatabase, migrateUp, type Database } from '@omnizap/runtime';
import { createTestDatabase, testDatabaseKinds, type TestDatabase } from '@omnizap/testkit';
import type { Subject } from './events.ts';
import { createWorkStateStore, markDone, markFailed, wantWork, type DueSubject } from './work-state-store.ts';

const longAgo = new Date('2020-01-01T00:00:00.123Z');
const subject: Subject = { taskType: 'rebuild', subjectId: 'pack' };

type Row = { wanted_version: number; done_version: number; failed_version: number; is_due: number; wanted_at: Date };

describe.each(testDatabaseKinds())('work state on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;
  let store: ReturnType<typeof createWorkStateStore>;

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl, { poolMax: 8 });
    store = createWorkStateStore(database);
    await migrateUp(database);
  });
  beforeEach(() => database.knex('work_state').delete());
  afterAll(async () => {
    await database.close();
    await test.drop();
  });

  const want = (...subjects: Subject[]): Promise<void> => store.want(subjects);
  const done = (version: number): Promise<boolean> => database.transaction((trx) => markDone(trx, subject, version));
  const read = async (): Promise<Row> => database.knex('work_state').where({ subject_id: 'pack' }).first<Row>();
  const makeOld = (subjectId: string, at = longAgo): Promise<number> =>
    database.knex('work_state').where({ subject_id: subjectId }).update({ wanted_at: at });

  it('raises what is wanted with each change, once per subject and transaction', async () => {
    await want(subject, subject, { taskType: 'curation', subjectId: 'pack' });
    await want(subject);

    expect(await store.read('rebuild', 'pack')).toEqual({ wantedVersion: 2, doneVersion: 0 });
    expect(await store.read('curation', 'pack')).toEqual({ wantedVersion: 1, doneVersion: 0 });
    expect(await store.read('rebuild', 'nobody')).toBeNull();
  });

  it('counts the age from the oldest change that was not done, and anew once it was', async () => {
    await want(subject);
    await makeOld('pack');

    await want(subject);
    await want(subject);
    const waiting = await read();
    await done(3);
    await want(subject);
    const afresh = await read();

    expect([waiting.wanted_version, waiting.is_due, waiting.wanted_at]).toEqual([3, 1, longAgo]);
    expect([afresh.wanted_version, afresh.is_due]).toEqual([4, 1]);
    expect(Date.now() - afresh.wanted_at.getTime()).toBeLessThan(60_000);
  });

  it('is due while something newer is wanted than was done or failed', async () => {
    const states: number[] = [];
    const note = async (): Promise<void> => void states.push((await read()).is_due);
    await want(subject);
    await note();
    await done(1);
    await note();
    await want(subject);
    await want(subject);
    await done(2);
    await note();
    await database.transaction((trx) => markFailed(trx, subject));
    await note();
    await want(subject);
    await note();

    expect(states).toEqual([1, 0, 1, 0, 1]);
  });

  it('never takes back what was done, and says so to whoever comes late', async () => {
    for (let version = 1; version <= 3; version += 1) await want(subject);

    expect([await done(2), await done(2), await done(1), await done(3)]).toEqual([true, false, false, true]);
    expect((await read()).done_version).toBe(3);
  });

  it('refuses a look that began before the changes that the last recorded one may have seen', async () => {
    for (let version = 1; version <= 4; version += 1) await want(subject);

    // The look at 1 was recorded when 4 was wanted: it may show all of that, and one at 2 or 3 perhaps less.
    expect([await done(1), await done(2), await done(3), await done(4)]).toEqual([true, false, false, true]);
    expect((await read()).is_due).toBe(0);
  });

  it('lets only one of many simultaneous looks record a version', async () => {
    await want(subject);

    const answers = await Promise.all(Array.from({ length: 12 }, () => done(1)));

    expect(answers.filter((isFirst) => isFirst)).toHaveLength(1);
  });

  it('finds what is behind, the longest waiting first, within the limit and not too young', async () => {
    const subjects = ['a', 'b', 'c', 'd'].map((subjectId) => ({ taskType: 'rebuild' as const, subjectId }));
    await want(...subjects, { taskType: 'curation', subjectId: 'other-kind' });
    for (const [index, { subjectId }] of subjects.entries())
      if (subjectId !== 'd') await makeOld(subjectId, new Date(longAgo.getTime() - index));
    await database.transaction((trx) => markDone(trx, subjects[1] as Subject, 1));

    const due = async (olderThanMs: number, limit: number, after: DueSubject | null = null) =>
      await store.due('rebuild', { olderThanMs, after, limit });
    const names = (found: DueSubject[]): string[] => found.map(({ subjectId }) => subjectId);
    expect(names(await due(20_000, 10))).toEqual(['c', 'a']);
    const [first] = await due(20_000, 1);
    expect(first?.subjectId).toBe('c');
    expect(names(await due(0, 10, first))).toEqual(['a', 'd']);
    expect(names(await due(0, 10))).toEqual(['c', 'a', 'd']);
    expect(await store.countDue('rebuild')).toBe(3);
  });

  it('is raised by many transactions at once without a deadlock, whatever order they name the subjects in', async () => {
    const subjects = Array.from({ length: 30 }, (_, index) => ({
      taskType: 'rebuild' as const,
      subjectId: `pack-${index}`,
    }));
    await want(...subjects);
    const rotated = (by: number): Subject[] => [...subjects.slice(by), ...subjects.slice(0, by)];

    // Without the retry of database.transaction: a deadlock would show.
    await Promise.all(
      Array.from({ length: 24 }, (_, index) => database.knex.transaction((trx) => wantWork(trx, kind, rotated(index)))),
    );

    expect(await database.knex('work_state').distinct('wanted_version').pluck('wanted_version')).toEqual([25]);
  });

  it('forgets a want together with the change that it belonged to', async () => {
    const changing = database.transaction(async (trx) => {
      await wantWork(trx, kind, [subject]);
      throw new Error('changed its mind');
    });

    await expect(changing).rejects.toThrow('changed its mind');
    expect(await store.read('rebuild', 'pack')).toBeNull();
  });
});
