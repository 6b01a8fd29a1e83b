import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { OpenFeature } from '@openfeature/server-sdk';
import {
  connectDatabase,
  createLogger,
  createMembership,
  createLeaseStore,
  createMetrics,
  createWakeups,
  migrateUp,
  type Database,
  type Wakeups,
} from '@omnizap/runtime';
import { createTestDatabase, testDatabaseKinds, waitFor, type TestDatabase } from '@omnizap/testkit';
import { flagDefinitions, flagNames } from './flag-definitions.ts';
import { createFlagStore } from './flag-store.ts';
import { createFlags, flagsTopic, type Flags } from './flags.ts';
import { createFlagProvider } from './openfeature-provider.ts';
import { createTaskPauses } from './pause-store.ts';

const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
const dedicated = 'enable_worker_dedicated_processes';
const by = { actor: 'ana', reason: 'first step of the canary' };

describe.each(testDatabaseKinds())('flags on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;
  let wakeups: Wakeups;
  let store: ReturnType<typeof createFlagStore>;
  const stops: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl);
    await migrateUp(database);
    wakeups = createWakeups({ queueUrl: test.queueUrl, log });
    await wakeups.start();
    store = createFlagStore(database);
  });
  beforeEach(async () => {
    await database.knex('admin_action_audit').delete();
    await database.knex('feature_flag').delete();
    await store.noticeForeignChanges();
    await database.knex('admin_action_audit').delete();
  });
  afterEach(async () => {
    await Promise.all(stops.splice(0).map((stop) => stop()));
  });
  afterAll(async () => {
    await wakeups.stop();
    await database.close();
    await test.drop();
  });

  async function watch(metrics = createMetrics({ version: '0', release: 'stable', process: 'test' })): Promise<Flags> {
    const flags = createFlags({ database, wakeups, log, metrics });
    await flags.start();
    stops.push(() => flags.stop());
    return flags;
  }

  const type = (statement: string): Promise<unknown> => Promise.resolve(database.knex.raw(statement));
  const percentOf = async (flag: string): Promise<number | undefined> =>
    (await store.list()).find(({ flagName }) => flagName === flag)?.rolloutPercent;

  it('are all there on a fresh install, with their first values', async () => {
    const rows = await store.list();

    expect(rows.map(({ flagName }) => flagName)).toEqual([...flagNames].sort());
    for (const row of rows)
      expect(row).toMatchObject({ ...flagDefinitions[row.flagName as keyof typeof flagDefinitions].first, version: 1 });
  });

  it('take the statements of the runbook as they are, and every process sees them', async () => {
    const flags = await watch();
    const changes: string[] = [];
    flags.onChange(() => changes.push('changed'));

    await type(
      `UPDATE feature_flag SET is_enabled = 1, rollout_percent = 25, updated_by = 'ops' WHERE flag_name = 'enable_worker_dedicated_processes';`,
    );
    await waitFor(() => flags.shares().dedicatedPercent === 25);
    await type(
      `UPDATE feature_flag SET is_enabled = 0, rollout_percent = 0, updated_by = 'ops' WHERE flag_name IN ('enable_worker_dedicated_processes', 'enable_domain_event_outbox', 'enable_object_storage_delivery');`,
    );
    await waitFor(() => flags.shares().dedicatedPercent === 0);

    expect(flags.isOn('enable_domain_event_outbox', 'sticker_pack:1')).toBe(false);
    expect(flags.isOn('enable_ranking_snapshot_read', 'viewer')).toBe(true);
    expect(changes.length).toBeGreaterThanOrEqual(2);
    const answer = await type(
      `SELECT flag_name, is_enabled, rollout_percent, updated_at FROM feature_flag WHERE flag_name IN ('enable_worker_dedicated_processes', 'enable_domain_event_outbox') ORDER BY flag_name;`,
    );
    expect(JSON.stringify(answer)).toContain('enable_domain_event_outbox');
  });

  it('say on the metrics since when they are known as they are', async () => {
    const metrics = createMetrics({ version: '0', release: 'stable', process: 'test' });
    const flags = await watch(metrics);
    const changedAt = async (flag: string): Promise<number> => {
      const text = await metrics.registry.metrics();
      return Number(
        new RegExp(`^omnizap_feature_flag_changed_timestamp_seconds\\{[^}]*flag="${flag}"[^}]*\\} (\\S+)`, 'm').exec(
          text,
        )?.[1],
      );
    };
    const before = [await changedAt(dedicated), await changedAt('enable_domain_event_outbox')];
    const typedAt = Date.now() / 1_000;

    await type(`UPDATE feature_flag SET rollout_percent = 25 WHERE flag_name = '${dedicated}'`);
    await waitFor(() => flags.shares().dedicatedPercent === 25);

    expect(before[0]).toBeLessThan(typedAt);
    expect(await changedAt(dedicated)).toBeGreaterThanOrEqual(typedAt);
    expect(await changedAt('enable_domain_event_outbox')).toBe(before[1]);
  });

  it.each([
    ['rollout_percent = 101'],
    ['rollout_percent = -1'],
    ['rollout_percent = 12.5'],
    ['is_enabled = 2'],
    ['rollout_percent = NULL'],
  ])('refuse SQL that makes no sense: %s', async (assignment) => {
    await expect(type(`UPDATE feature_flag SET ${assignment} WHERE flag_name = '${dedicated}'`)).rejects.toThrow();

    expect(await percentOf(dedicated)).toBe(100);
  });

  it('refuse 12.5 also in a second database of the same server', async () => {
    const other = await createTestDatabase(kind);
    const second = connectDatabase(other.databaseUrl);
    await migrateUp(second);
    const half = 'UPDATE feature_flag SET rollout_percent = 12.5';

    await expect(Promise.resolve(second.knex.raw(half))).rejects.toThrow();
    await second.close();
    await other.drop();
    await expect(type(half)).rejects.toThrow();
  });

  it.each([101, -1, 12.5, NaN])('refuse a percentage of %p', async (rolloutPercent) => {
    await expect(store.set([{ flagName: dedicated, rolloutPercent }], by)).rejects.toThrow(
      /whole number from 0 to 100/,
    );
  });

  it('refuse unknown names with those that there are', async () => {
    await expect(store.set([{ flagName: 'enable_everything', rolloutPercent: 1 }], by)).rejects.toThrow(
      /no flag "enable_everything".*enable_domain_event_outbox/,
    );
  });

  it('are audited with what they were and what they became; what changes nothing is not', async () => {
    await store.set([{ flagName: dedicated, rolloutPercent: 10 }], { ...by, requestId: 'r-1' });
    await store.set([{ flagName: dedicated, rolloutPercent: 10 }], by);

    expect(await store.history(dedicated, 10)).toMatchObject([
      {
        ...{ actor: 'ana', action: 'flag.set', reason: by.reason, requestId: 'r-1' },
        before: { is_enabled: 1, rollout_percent: 100 },
        after: { is_enabled: 1, rollout_percent: 10 },
      },
    ]);
  });

  it('change several at once or not at all', async () => {
    const changes = [
      { flagName: dedicated, isEnabled: false },
      { flagName: 'enable_domain_event_outbox', isEnabled: false, expectedVersion: 99 },
    ];

    await expect(store.set(changes, by)).rejects.toThrow(/changed meanwhile/);

    expect((await store.list()).find(({ flagName }) => flagName === dedicated)?.isEnabled).toBe(true);
  });

  it('let one of two changers win who saw the same version', async () => {
    const change = (rolloutPercent: number) =>
      store.set([{ flagName: dedicated, rolloutPercent, expectedVersion: 1 }], by);

    const results = await Promise.allSettled([change(10), change(20)]);

    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('are audited when somebody typed into the table, by who is named there, and only once', async () => {
    await type(`UPDATE feature_flag SET rollout_percent = 50, updated_by = 'ops' WHERE flag_name = '${dedicated}'`);

    expect(await store.noticeForeignChanges()).toEqual([dedicated]);
    expect(await store.noticeForeignChanges()).toEqual([]);
    expect(await store.history(dedicated, 10)).toMatchObject([
      {
        actor: 'ops',
        action: 'flag.changed-by-hand',
        before: { rollout_percent: 100 },
        after: { rollout_percent: 50 },
      },
    ]);
    await expect(store.set([{ flagName: dedicated, rolloutPercent: 60, expectedVersion: 1 }], by)).rejects.toThrow(
      /by ops, to on at 50 %/,
    );
  });

  it('keep what was typed by hand in their history when a command follows before it was noticed', async () => {
    await type(`UPDATE feature_flag SET rollout_percent = 50, updated_by = 'ops' WHERE flag_name = '${dedicated}'`);
    await store.set([{ flagName: dedicated, rolloutPercent: 10 }], by);

    expect((await store.history(dedicated, 10)).map(({ actor, after }) => [actor, after])).toEqual([
      ['ana', { is_enabled: 1, rollout_percent: 10 }],
      ['ops', { is_enabled: 1, rollout_percent: 50 }],
    ]);
  });

  it('whose row is gone keep their value and get it back', async () => {
    await store.set([{ flagName: dedicated, rolloutPercent: 10 }], by);
    const flags = await watch();
    await type(`DELETE FROM feature_flag WHERE flag_name = '${dedicated}'`);
    await waitFor(async () => !(await store.list()).some(({ flagName }) => flagName === dedicated));

    expect(flags.shares().dedicatedPercent).toBe(10);
    await expect(store.set([{ flagName: dedicated, rolloutPercent: 5 }], by)).rejects.toThrow(/is missing/);
    expect(await store.noticeForeignChanges()).toEqual([dedicated]);
    expect(await percentOf(dedicated)).toBe(10);
  });

  it('keep their values while the table is gone', async () => {
    await store.set([{ flagName: dedicated, rolloutPercent: 10 }], by);
    const flags = await watch();
    await type('ALTER TABLE feature_flag RENAME TO feature_flag_gone');
    const late = await watch();
    await type('ALTER TABLE feature_flag_gone RENAME TO feature_flag');

    expect(flags.shares().dedicatedPercent).toBe(10);
    expect(late.evaluate(dedicated, 'a')).toMatchObject({ reason: 'DEFAULT', enabled: true });
    await waitFor(() => late.shares().dedicatedPercent === 10);
  });

  it('tell which lanes are worked by living processes, and forget one that is gone after a while', async () => {
    const worker = createMembership(
      { store: createLeaseStore(database), log },
      { processName: 'worker-rebuild', status: { lane: 'canary', task_types: ['rebuild'] } },
    );
    await worker.start();
    const flags = await watch();
    await waitFor(() => flags.shares().isServed('rebuild', 'canary'));
    await waitFor(() => !flags.shares().isServed('rebuild', 'stable'));
    expect(flags.shares().isServed('rebuild', 'canary')).toBe(true);

    await worker.stop();
    await waitFor(() => !flags.shares().isServed('rebuild', 'canary'));
  });

  it('tell which kinds of task are paused, as soon as it is announced', async () => {
    const flags = await watch();
    const pauses = createTaskPauses(database);
    expect(await pauses.pause(['rebuild'], by)).toEqual(['rebuild']);
    expect(await pauses.pause(['rebuild'], by)).toEqual([]);
    wakeups.notify(flagsTopic);

    await waitFor(() => flags.shares().isPaused('rebuild'));
    expect(flags.shares().isPaused('curation')).toBe(false);
    expect(await pauses.list()).toMatchObject([{ taskType: 'rebuild', pausedBy: 'ana', reason: by.reason }]);
    expect(await pauses.resume(['rebuild', 'curation'], by)).toEqual(['rebuild']);
    wakeups.notify(flagsTopic);
    await waitFor(() => !flags.shares().isPaused('rebuild'));
  });

  it('answer through OpenFeature with reason and bucket', async () => {
    await store.set([{ flagName: dedicated, rolloutPercent: 50 }], by);
    await OpenFeature.setProviderAndWait(createFlagProvider(await watch()));
    const client = OpenFeature.getClient();

    const subject = await client.getBooleanDetails(dedicated, false, { targetingKey: 'subject-1' });
    expect(subject).toMatchObject({ reason: 'SPLIT', variant: subject.value ? 'on' : 'off' });
    expect(subject.flagMetadata.bucket).toBeGreaterThan(0);
    expect(await client.getBooleanDetails(dedicated, true)).toMatchObject({ value: false, reason: 'SPLIT' });
    expect(await client.getBooleanDetails('enable_everything', true, { targetingKey: 'a' })).toMatchObject({
      value: true,
      errorCode: 'FLAG_NOT_FOUND',
    });
    expect(await client.getStringDetails(dedicated, 'x')).toMatchObject({ value: 'x', errorCode: 'TYPE_MISMATCH' });
  });
});
