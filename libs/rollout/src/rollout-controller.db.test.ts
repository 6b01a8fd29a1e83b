import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  connectDatabase,
  createLogger,
  createMetrics,
  migrateUp,
  type Database,
  type LiveProcess,
} from '@omnizap/runtime';
import { createTestDatabase, testDatabaseKinds, waitFor, type TestDatabase } from '@omnizap/testkit';
import { createFlagStore } from './flag-store.ts';
import type { Gate, Plan } from './plan.ts';
import type { HealthSources } from './rollback-order.ts';
import { createRolloutController } from './rollout-controller.ts';
import { createRequestStore } from './rollout-request-store.ts';
import { createRolloutStore } from './rollout-store.ts';
import { createRollout } from './rollout.ts';
import type { Series } from './metrics-text.ts';

const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
const outbox = 'enable_domain_event_outbox';
const storage = 'enable_object_storage_delivery';
const snapshot = 'enable_ranking_snapshot_read';
const by = { actor: 'ana', reason: 'a test' };

const healthy: HealthSources = {
  outboxDepth: () => Promise.resolve({ failed: 0, oldestSeconds: 1 }),
  snapshotAgeSeconds: () => Promise.resolve(1),
};

const errors: Gate = {
  ...{ name: 'errors', why: 'few errors', metric: 'omnizap_http_requests_total', where: {}, measure: 'ratio' },
  ...{ of: { status_class: ['5xx'] }, windowMs: 60_000, pass: { value: 0.02 }, fail: { value: 0.02 }, minSamples: 10 },
  ...{ noData: 'inconclusive', noBaseline: 'pass', failuresToRollBack: 2, isDryRun: false },
};
const planOf = (name: string, flags: string[], change: Partial<Plan['parts'][number]> = {}): Plan => ({
  ...{ name, description: name, passes: 2, giveUpAfterMs: 3_600_000 },
  parts: flags.map((flag) => ({
    ...{ name: flag, flag, requires: [], gates: [errors] },
    stages: [
      { percent: 10, bakeMs: 10_000 },
      { percent: 100, bakeMs: 10_000 },
    ],
    ...change,
  })),
});
const plans = new Map(
  [
    planOf('events', [outbox]),
    planOf('both', [outbox, storage]),
    planOf('needy', [storage], { requires: [{ process: 'worker-rebuild', release: 'canary' }] }),
  ].map((plan) => [plan.name, plan]),
);

describe.each(testDatabaseKinds())('the rollout controller on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;
  let rollout: ReturnType<typeof createRollout>;

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl, { poolMax: 8 });
    await migrateUp(database);
    rollout = createRollout({ database, ...healthy });
  });
  afterAll(async () => {
    await database.close();
    await test.drop();
  });
  beforeEach(async () => {
    for (const table of ['rollout_run', 'rollout_decision', 'rollout_request', 'rollout_freeze', 'metric_minute'])
      await database.knex(table).delete();
    await createFlagStore(database).noticeForeignChanges();
    await createFlagStore(database).set(
      [outbox, storage, snapshot, 'enable_worker_dedicated_processes', 'enable_worker_canary_release'].map(
        (flagName) => ({ flagName, isEnabled: false, rolloutPercent: 0 }),
      ),
      by,
    );
    await database.knex('admin_action_audit').delete();
  });

  const flag = async (name: string) =>
    (await createFlagStore(database).list()).find(({ flagName }) => flagName === name);
  const percent = async (name: string): Promise<number> => {
    const row = await flag(name);
    return row?.isEnabled === true ? row.rolloutPercent : 0;
  };

  /** A fleet that answers 100 requests between two samples; time passes 5 s per pass. */
  function setUp(options: { processes?: LiveProcess[] } = {}) {
    const world = {
      failing: 0,
      isSilent: false,
      at: Date.UTC(2026, 0, 1),
      good: 0,
      bad: 0,
      processes: options.processes ?? [],
    };
    const create = (mayAct: () => boolean = () => true) =>
      createRolloutController(
        {
          ...{ database, log, metrics: createMetrics({ version: '1', release: 'stable', process: 'test' }) },
          wakeups: { notify: () => undefined },
          processes: () => Promise.resolve(world.processes),
          ...healthy,
          now: () => Promise.resolve(world.at),
          source() {
            if (world.isSilent) return Promise.reject(new Error('nobody answers'));
            world.bad += world.failing;
            world.good += 100 - world.failing;
            const series = (status_class: string, value: number): Series => ({
              ...{ name: 'omnizap_http_requests_total', value },
              labels: { status_class, route_group: 'catalog_web' },
            });
            const sample = {
              source: 'one',
              startedAt: 0,
              series: [series('2xx', world.good), series('5xx', world.bad)],
            };
            return Promise.resolve({ samples: [sample], silent: [] });
          },
        },
        { plans, mayAct },
      );
    const controller = create();
    return {
      world,
      create,
      async pass(times = 1, which = controller): Promise<void> {
        for (let count = 0; count < times; count += 1) {
          await which.pass();
          world.at += 5_000;
        }
      },
    };
  }
  const ask = (
    kind: 'auto' | 'promote' | 'hold' | 'resume' | 'stop',
    planName: string | null = null,
    isForced = false,
  ) => createRequestStore(database).ask({ kind, planName, isForced }, by);
  const run = async () => (await createRolloutStore(database).recent(1))[0];

  it('walks from the first percentage to the last, and every decision can be derived again', async () => {
    const { pass } = setUp();
    await ask('auto', 'events');
    await pass(20);

    expect(await run()).toMatchObject({ state: { state: 'succeeded', step: 1, raised: [outbox] } });
    expect(await percent(outbox)).toBe(100);
    const { decisions } = await rollout.explain();
    const actions = decisions.map(({ action }) => action);
    expect(actions.filter((action) => action === 'raise')).toHaveLength(2);
    expect(actions.at(-1)).toBe('finish');
    expect(decisions.every(({ isConfirmed }) => isConfirmed)).toBe(true);
    const audit = await database.knex('admin_action_audit').where({ action: 'flag.set' }).pluck<string[]>('actor');
    expect(new Set(audit)).toEqual(new Set([`rollout:${(await run())?.id}`]));
  });

  it('says so when a kept decision does not follow from its samples', async () => {
    const { pass } = setUp();
    await ask('auto', 'events');
    await pass(20);
    const [first] = (await rollout.explain()).decisions.filter(({ action }) => action === 'finish');
    const forged = { ...first?.decision, action: 'hold', reason: 'never' };
    await database
      .knex('rollout_decision')
      .where({ id: first?.id })
      .update({ decision: JSON.stringify(forged) });

    const found = (await rollout.explain()).decisions.filter(({ isConfirmed }) => isConfirmed !== true);
    expect(found).toMatchObject([{ isConfirmed: false, differs: expect.stringMatching(/^finish: /) as unknown }]);
  });

  it('rolls a bad percentage back at the second failed sample, in the order of the runbook', async () => {
    const { world, pass } = setUp();
    await ask('auto', 'both');
    while ((await percent(storage)) === 0) await pass();
    expect(await percent(outbox)).toBe(100);
    await pass(2);
    world.failing = 50;
    const badAt = world.at;
    while ((await run())?.finishedAt === null) await pass();

    expect(world.at - badAt).toBeLessThanOrEqual(15_000);
    expect(await percent(storage)).toBe(0);
    // The event flow is stable.
    expect(await percent(outbox)).toBe(100);
    expect(await run()).toMatchObject({ state: { state: 'rolled-back', rollback: { flags: [storage] } } });
    expect((await rollout.explain()).decisions.every(({ isConfirmed }) => isConfirmed)).toBe(true);
  });

  it('aborts when somebody types another value into the table, and leaves it', async () => {
    const { pass } = setUp();
    await ask('auto', 'events');
    await pass(3);
    await database.knex('feature_flag').where({ flag_name: outbox }).update({ rollout_percent: 25, updated_by: 'ops' });
    await pass();

    expect(await run()).toMatchObject({
      state: { state: 'aborted', reason: expect.stringContaining('ops') as unknown },
    });
    expect(await percent(outbox)).toBe(25);
    await pass(3);
    expect(await percent(outbox)).toBe(25);
  });

  it('aborts when the row of its flag is deleted', async () => {
    const { pass } = setUp();
    await ask('auto', 'events');
    await pass(3);
    await database.knex('feature_flag').where({ flag_name: outbox }).delete();
    await pass();

    expect(await run()).toMatchObject({ state: { state: 'aborted', reason: `the row of ${outbox} is gone` } });
  });

  it('raises nothing while the table of flags is gone, and goes on when it is back', async () => {
    const { pass } = setUp();
    await ask('auto', 'events');
    await pass(3);
    await database.knex.schema.renameTable('feature_flag', 'feature_flag_away');
    await expect(pass()).rejects.toThrow();
    await database.knex.schema.renameTable('feature_flag_away', 'feature_flag');
    await pass(20);

    expect(await run()).toMatchObject({ state: { state: 'succeeded' } });
  });

  it('goes on when it was killed after writing down what it was about to raise', async () => {
    const { create, pass } = setUp();
    await ask('auto', 'events');
    let asked = 0;
    // After the sample, and before the first decision; not before the one that would raise.
    await pass(
      1,
      create(() => (asked += 1) <= 2),
    );
    expect(await run()).toMatchObject({ state: { state: 'raising', target: 0 } });
    expect(await percent(outbox)).toBe(0);

    await pass(1, create());
    expect(await run()).toMatchObject({ state: { state: 'watching', step: 0 } });
    expect(await percent(outbox)).toBe(10);
  });

  it('recognises its own raise when it was killed before recording it', async () => {
    const { create, pass } = setUp();
    await ask('auto', 'events');
    let asked = 0;
    await pass(
      1,
      create(() => (asked += 1) <= 2),
    );
    const actor = `rollout:${(await run())?.id}`;
    await createFlagStore(database).set([{ flagName: outbox, isEnabled: true, rolloutPercent: 10 }], { ...by, actor });
    await pass(1, create());

    expect(await run()).toMatchObject({ state: { state: 'watching', step: 0, raised: [outbox] } });
    const { decisions } = await rollout.explain();
    expect(decisions.map(({ action }) => action)).toEqual(['intend-raise', 'note-raise']);
    await pass(20);
    expect(await run()).toMatchObject({ state: { state: 'succeeded' } });
  });

  it('does not take the raise of somebody else for its own', async () => {
    const { create, pass } = setUp();
    await ask('auto', 'events');
    let asked = 0;
    await pass(
      1,
      create(() => (asked += 1) <= 2),
    );
    await createFlagStore(database).set([{ flagName: outbox, isEnabled: true, rolloutPercent: 10 }], by);
    await pass(1, create());

    expect(await run()).toMatchObject({ state: { state: 'aborted' } });
    expect(await percent(outbox)).toBe(10);
  });

  it('lets two controllers at once raise each percentage once', async () => {
    const { world, create } = setUp();
    const rivals = [create(), create(), create()];
    await ask('auto', 'events');
    for (let count = 0; count < 25; count += 1) {
      await Promise.all(rivals.map((rival) => rival.pass()));
      world.at += 5_000;
    }

    expect(await run()).toMatchObject({ state: { state: 'succeeded' } });
    expect(await database.knex('rollout_run').pluck('id')).toHaveLength(1);
    expect(await database.knex('admin_action_audit').where({ action: 'flag.set' }).pluck('id')).toHaveLength(2);
    const versions = await database.knex('rollout_decision').pluck<number[]>('run_version');
    expect(new Set(versions).size).toBe(versions.length);
  });

  it('leaves the flags off whichever comes first, its raise or the rollback of an operator', async () => {
    for (let attempt = 0; attempt < 10; attempt += 1) {
      const { pass, create } = setUp();
      await ask('auto', 'events');
      await Promise.all([pass(2, create()), waitFor(run).then(() => rollout.rollBack({ flagName: outbox }, by))]);
      await pass(3);

      expect(await percent(outbox)).toBe(0);
      expect(await run()).toMatchObject({ state: { state: 'rolled-back' } });
      await database.knex('rollout_run').delete();
    }
  });

  it('rolls back without a controller, again without effect, and keeps what is healthy', async () => {
    const store = createFlagStore(database);
    const names = [outbox, storage, snapshot, 'enable_worker_dedicated_processes'];
    await store.set(
      names.map((flagName) => ({ flagName, isEnabled: true, rolloutPercent: 100 })),
      by,
    );
    const first = await rollout.rollBack({}, by);

    expect(first.lowered).toEqual([storage, 'enable_worker_dedicated_processes']);
    expect(first.kept.map(({ flagName }) => flagName).sort()).toEqual([outbox, snapshot]);
    const again = await rollout.rollBack({}, by);
    expect(again.lowered).toEqual([]);
    expect(await database.knex('admin_action_audit').where({ action: 'flag.set' }).pluck('id')).toHaveLength(6);
  });

  it('switches off what nobody knows to be healthy', async () => {
    const unsure = createRollout({
      database,
      outboxDepth: () => Promise.reject(new Error('away')),
      snapshotAgeSeconds: () => Promise.resolve(null),
    });
    await createFlagStore(database).set(
      [outbox, snapshot].map((flagName) => ({ flagName, isEnabled: true, rolloutPercent: 100 })),
      by,
    );

    expect((await unsure.rollBack({}, by)).lowered).toEqual([outbox, snapshot]);
  });

  it('raises nothing behind a freeze, and still rolls back', async () => {
    const { world, pass } = setUp();
    await ask('auto', 'events');
    await pass(2);
    await rollout.freeze(by, null);
    await pass(10);
    expect(await percent(outbox)).toBe(10);
    expect(await run()).toMatchObject({ state: { state: 'held', hold: { by: 'freeze' } } });

    world.failing = 50;
    await pass(3);
    expect(await percent(outbox)).toBe(0);
    expect(await run()).toMatchObject({ state: { state: 'rolled-back' } });
  });

  it('waits for the processes that a stage needs', async () => {
    const { world, pass } = setUp();
    await ask('auto', 'needy');
    await pass(3);
    expect(await run()).toMatchObject({ state: { state: 'held', hold: { by: 'requirements' } } });
    expect(await percent(storage)).toBe(0);

    world.processes = [{ processId: '1', processName: 'worker-rebuild', status: { release: 'canary' } }];
    await pass(1);
    expect(await percent(storage)).toBe(10);
  });

  it('holds when nothing can be sampled, and says what broke', async () => {
    const { world, pass } = setUp();
    await ask('auto', 'events');
    await pass(3);
    world.isSilent = true;
    await pass(6);

    const { state } = (await run()) ?? {};
    expect(state).toMatchObject({ state: 'held', hold: { by: 'gates' } });
    expect(state?.hold?.reason).toContain('nobody answers');
    expect(await percent(outbox)).toBe(10);
    world.isSilent = false;
    await pass(20);
    expect(await run()).toMatchObject({ state: { state: 'succeeded' } });
  });

  it('steps only when asked, and refuses while the gate is closed unless it is forced', async () => {
    const { pass } = setUp();
    const answerOf = (id: number) => createRequestStore(database).answerOf(id);
    const first = await ask('promote', 'events');
    await pass();
    expect(await answerOf(first)).toMatchObject({ isAccepted: true });
    expect(await percent(outbox)).toBe(10);

    const early = await ask('promote', 'events');
    await pass();
    expect(await answerOf(early)).toMatchObject({
      isAccepted: false,
      text: expect.stringContaining('the gate is closed') as unknown,
    });
    const forced = await ask('promote', 'events', true);
    await pass();
    expect(await answerOf(forced)).toMatchObject({ isAccepted: true });
    expect(await percent(outbox)).toBe(100);
    await pass(10);
    expect(await run()).toMatchObject({ state: { state: 'succeeded' } });
  });

  it('refuses what cannot be, each with its reason', async () => {
    const { pass } = setUp();
    const refused = async (id: number): Promise<string | undefined> => {
      await pass();
      return (await createRequestStore(database).answerOf(id))?.text;
    };
    expect(await refused(await ask('hold'))).toBe('no run is active');
    expect(await refused(await ask('auto', 'evnts'))).toMatch(/no plan "evnts"; there are: events, both/);
    await createFlagStore(database).set([{ flagName: outbox, isEnabled: true, rolloutPercent: 100 }], by);
    expect(await refused(await ask('auto', 'events'))).toMatch(/at its last percentage already/);
    const old = await ask('auto', 'both');
    await database
      .knex('rollout_request')
      .where({ id: old })
      .update({ created_at: new Date(Date.now() - 300_000) });
    expect(await refused(old)).toMatch(/ask again/);
    await ask('auto', 'both');
    expect(await refused(await ask('auto', 'both'))).toMatch(/run \d+ of both is active/);
  });

  it('withdraws what nobody answers, so that it does not happen hours later', async () => {
    await expect(rollout.ask({ kind: 'auto', planName: 'events' }, by, { timeoutMs: 300 })).rejects.toMatchObject({
      code: 'unavailable',
    });
    const { pass } = setUp();
    await pass(3);

    expect(await run()).toBeUndefined();
    expect(await percent(outbox)).toBe(0);
  });

  it('writes each minute once, whoever leads', async () => {
    const { world, create } = setUp();
    const rivals = [create(), create()];
    for (let count = 0; count < 30; count += 1) {
      for (const rival of rivals) await rival.pass();
      world.at += 5_000;
    }

    const rows = await database.knex('metric_minute').where({ metric: 'omnizap_http_requests_total' });
    expect(rows.map(({ labels }: { labels: string }) => labels)).toEqual(
      Array<string>(2).fill('route_group=catalog_web,status_class=2xx'),
    );
  });
});
