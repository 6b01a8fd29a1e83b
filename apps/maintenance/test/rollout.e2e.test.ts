/** Rollouts of a real fleet, commanded as operators do it: by the CLI, in a process of its own. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  ask,
  createCatalogueClient,
  drawPng,
  startFleet,
  startLoad,
  testDatabaseKinds,
  waitFor,
  type Fleet,
  type Load,
} from '@omnizap/testkit';

const patience = { timeoutMs: 120_000, intervalMs: 200 };
const longestRunMs = 170_000;
const projectRoot = path.resolve(import.meta.dirname, '../../..');

/** The gates of the product, with windows and bakes that fit a test. */
const files = {
  'gates.yaml': `gates:
  http_errors:
    why: at most 2 of 100 requests fail
    metric: omnizap_http_requests_total
    where: { route_group: [catalog_api_public] }
    measure: ratio
    of: { status_class: [5xx] }
    window: 30s
    pass: { at_most: 0.02 }
    fail: { above: 0.02 }
    min_samples: 20
    no_data: inconclusive
    rollback_at: first-failure
  ownership:
    why: every waiting task has a live process that works its lane
    metric: omnizap_rollout_unowned_tasks
    measure: min
    window: 40s
    pass: { at_most: 0 }
    fail: { above: 0 }
    min_samples: 2
    no_data: fail
    rollback_at: first-failure
  canary_failures:
    why: the canary's tasks do not fail more often than those of the rest
    metric: omnizap_worker_task_duration_seconds
    where: { lane: canary, task_type: classification }
    measure: ratio
    of: { outcome: retried }
    window: 60s
    compare: { with: { lane: stable, task_type: classification } }
    pass: { at_most: 0.5, at_most_plus: 0.02 }
    fail: { above: 0.5, above_plus: 0.05 }
    min_samples: 3
    no_data: inconclusive
    no_baseline: pass
    rollback_at: second-failure
`,
  'outbox.yaml': `plan: outbox
description: events through the outbox
flag: enable_domain_event_outbox
requires: [{ process: relay }]
passes: 1
gates: [http_errors, ownership]
stages: [{ percent: 10, bake: 1s }, { percent: 50, bake: 1s }, { percent: 100, bake: 1s }]
`,
  'canary.yaml': `plan: canary
description: a new release of the classification worker
flag: enable_worker_canary_release
requires: [{ process: worker-classification, release: canary }]
passes: 2
gates: [canary_failures, ownership]
stages: [{ percent: 50, bake: 2m }, { percent: 100, bake: 2m }]
`,
};

describe.each(testDatabaseKinds())('a rollout of a fleet on %s', (kind) => {
  let fleet: Fleet;
  let plansDir: string;
  let load: Load;

  beforeAll(async () => {
    plansDir = await mkdtemp(path.join(tmpdir(), 'rollout-'));
    for (const [name, text] of Object.entries(files)) await writeFile(path.join(plansDir, name), text);
    fleet = await startFleet(kind, { env: { ROLLOUT_PLANS_DIR: plansDir } });
    load = startLoad(`${fleet.apiUrl}/api/sticker-packs`, { kept: 1, fresh: 0 });
  }, 180_000);
  afterAll(async () => {
    await load?.stop();
    await fleet?.stop();
    await rm(plansDir, { recursive: true, force: true });
  }, 60_000);
  afterEach(async () => {
    await fleet.database.knex('rollout_run').where({ active_slot: 1 }).update({ active_slot: null });
  });

  type Run = { code: number | null; out: string; err: string };
  const ops = (...args: string[]): Promise<Run> => opsWith({}, ...args);
  function opsWith(env: Record<string, string>, ...args: string[]): Promise<Run> {
    const child = spawn(process.execPath, [path.join(projectRoot, 'apps/cli/main.ts'), 'rollout', ...args], {
      cwd: projectRoot,
      env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...fleet.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: longestRunMs,
    });
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve({ code, out, err }));
    });
  }
  type FlagState = { is_enabled: number; rollout_percent: number };
  const flag = (flag_name: string) =>
    fleet.database.knex('feature_flag').where({ flag_name }).first<FlagState>('is_enabled', 'rollout_percent');
  const setByHand = (name: string, isEnabled: 0 | 1, percent: number): Promise<unknown> =>
    Promise.resolve(
      fleet.database.knex.raw(
        `UPDATE feature_flag SET is_enabled = ${isEnabled}, rollout_percent = ${percent}, updated_by = 'ops' WHERE flag_name = '${name}';`,
      ),
    );
  const leads = (url: string): Promise<boolean> =>
    ask(`${url}/metrics`).then(({ bytes }) => bytes.includes('omnizap_queue_depth{'));
  const noticed = (name: string): Promise<unknown> =>
    waitFor(async () => {
      const row = await fleet.database
        .knex('feature_flag')
        .where({ flag_name: name })
        .first<Record<string, number>>('*');
      return row?.audited_percent === row?.rollout_percent && row?.audited_is_enabled === row?.is_enabled;
    }, patience);

  it(
    'walks from the first percentage to the last while its controller is killed on the way',
    async () => {
      await waitFor(() => leads(fleet.process('maintenance').url), patience);
      await setByHand('enable_domain_event_outbox', 0, 0);
      await noticed('enable_domain_event_outbox');
      const walking = ops('auto', 'outbox', '--wait', '--timeout', '2.5', '--reason', 'step two');
      await waitFor(async () => (await flag('enable_domain_event_outbox')).rollout_percent === 10, patience);
      await fleet.kill(fleet.process('maintenance'));
      await fleet.start('maintenance');

      const { code, out, err } = await walking;
      expect([code, err]).toEqual([0, '']);
      expect(out).toMatch(/to 10 %[^]*to 50 %[^]*to 100 %[^]*succeeded/);
      expect(await flag('enable_domain_event_outbox')).toEqual({ is_enabled: 1, rollout_percent: 100 });
      const explained = await ops('explain');
      expect([explained.code, explained.out]).toEqual([0, expect.stringMatching(/0 differ/)]);
      expect(load.counts().failed).toEqual({});
    },
    longestRunMs,
  );

  it(
    'takes the work away from a canary that fails, at the second bad sample',
    async () => {
      await waitFor(() => leads(fleet.process('maintenance').url), patience);
      // It looks for the bytes where there are none.
      const empty = path.join(plansDir, 'empty');
      const canary = await fleet.start('worker-classification', { WORKER_RELEASE: 'canary', STICKER_DATA_DIR: empty });
      const owner = createCatalogueClient(fleet.apiUrl, (await fleet.createOwner()).key);
      const begun = await ops('auto', 'canary', '--reason', 'release 2', '--json');
      expect([begun.code, begun.err]).toEqual([0, '']);
      await waitFor(async () => (await flag('enable_worker_canary_release')).rollout_percent === 50, patience);

      const packKey = await owner.createPack({ name: 'Canary' });
      const stickers = Array.from({ length: 16 }, (_, index) => ({ bytes: drawPng(9_000 + index), emojis: ['😀'] }));
      await owner.addStickers(packKey, stickers);
      await waitFor(async () => (await flag('enable_worker_canary_release')).is_enabled === 0, patience);

      const explained = await ops('explain', '--json');
      expect(explained.code).toBe(0);
      type Explained = { action: string; at: string; reason: string; gates: { gate: string; outcome: string }[] };
      const { data } = JSON.parse(explained.out) as { data: { state: string; decisions: Explained[] } };
      expect(data.state).toBe('rolled-back');
      const bad = data.decisions.filter(({ gates }) =>
        gates.some(({ gate, outcome }) => gate === 'canary_failures' && outcome === 'fail'),
      );
      expect(bad.map(({ action }) => action)).toEqual(['watch', 'intend-rollback']);
      await waitFor(
        async () => (await owner.pack(packKey)).stickers.every(({ status }) => status === 'ready'),
        patience,
      );
      await fleet.kill(canary);
    },
    longestRunMs,
  );

  it('is commanded over HTTP as well, by administrators, with reasons for what is refused', async () => {
    await waitFor(() => leads(fleet.process('maintenance').url), patience);
    const call = (method: string, suffix: string, body?: object, key = fleet.adminToken) =>
      ask(`${fleet.apiUrl}/api/admin/rollout${suffix}`, { method, key, ...(body ? { body } : {}) });
    const post = async (body: object): Promise<number> => (await call('POST', '/requests', body)).status;
    type Asked = { data: { rollout_request_id: number; state: string; answer: string } };

    expect((await call('GET', '', undefined, (await fleet.createOwner()).key)).status).toBe(403);
    const asked = await call('POST', '/requests', { action: 'auto', plan: 'outbox', reason: 'again' });
    expect([asked.status, asked.json<Asked>().data.state]).toEqual([202, 'waiting']);
    const { data } = await waitFor(async () => {
      const found = await call('GET', `/requests/${asked.json<Asked>().data.rollout_request_id}`);
      return found.json<Asked>().data.state !== 'waiting' && found.json<Asked>();
    }, patience);
    expect(data).toMatchObject({ state: 'refused', answer: expect.stringMatching(/at its last percentage already/) });
    expect((await call('GET', '/requests/999999')).status).toBe(404);
    expect(await post({ action: 'auto', reason: 'which?' })).toBe(422);
    expect(await post({ action: 'walk', plan: 'outbox', reason: 'x' })).toBe(422);
    expect(await post({ action: 'hold', plan: 'outbox', reason: 'x' })).toBe(422);
    expect(await post({ action: 'hold', reason: '' })).toBe(422);

    const plans = (await call('GET', '/plans')).json<{ data: { plan: string }[] }>().data;
    expect(plans.map(({ plan }) => plan)).toEqual(['canary', 'outbox']);
    const { recent } = (await call('GET', '')).json<{ data: { recent: { run_id: number; state: string }[] } }>().data;
    expect(recent.map(({ state }) => state)).toEqual(['rolled-back', 'succeeded']);
    const run = (await call('GET', `/runs/${recent[1]?.run_id}`)).json<{ data: { decisions: object[] } }>();
    expect(run.data.decisions.every((decision) => 'confirmed' in decision && decision.confirmed === true)).toBe(true);
    expect((await call('GET', '/runs/999999')).status).toBe(404);
    expect((await call('PUT', '/freeze', { frozen: true, reason: 'launch' })).status).toBe(200);
    expect((await call('GET', '')).json<{ data: { frozen: object } }>().data.frozen).toMatchObject({
      reason: 'launch',
    });
    expect((await call('PUT', '/freeze', { frozen: false, reason: 'over' })).status).toBe(200);
    const rolledBack = await call('POST', '/rollback', { flag: 'enable_worker_canary_release', reason: 'x' });
    expect([rolledBack.status, rolledBack.json()]).toMatchObject([200, { data: { lowered: [], run_id: null } }]);
    expect((await call('POST', '/rollback', { flag: 'enable_nothing', reason: 'x' })).status).toBe(422);
  });

  it(
    'is rolled back by hand while no maintenance process lives, and nothing else is needed',
    async () => {
      await setByHand('enable_object_storage_delivery', 1, 25);
      for (const { name, process } of fleet.all()) if (name === 'maintenance') await fleet.kill(process);

      const refused = await ops('auto', 'outbox', '--reason', 'never');
      expect([refused.code, refused.err]).toEqual([1, expect.stringMatching(/maintenance process/)]);
      // The wake-up goes through the queue's database: without it the others see the change at their next look.
      const url = 'postgres://nobody@127.0.0.1:1/none';
      const { code, out } = await opsWith({ QUEUE_DATABASE_URL: url }, 'rollback', '--yes');
      expect([code, out]).toEqual([0, expect.stringMatching(/enable_object_storage_delivery is off/)]);
      expect(await flag('enable_object_storage_delivery')).toEqual({ is_enabled: 0, rollout_percent: 0 });
      const again = await ops('rollback', '--yes');
      expect([again.code, again.out]).toEqual([0, expect.stringMatching(/Nothing had to be switched off/)]);
    },
    longestRunMs,
  );

  it('of a plan with a typo is refused with its place and what would be right', async () => {
    await writeFile(path.join(plansDir, 'typo.yaml'), files['outbox.yaml'].replace('passes', 'pases'));

    const { code, err } = await ops('plan');
    expect(code).toBe(2);
    expect(err).toMatch(/typo\.yaml:\d+: pases: not known here; known: .*passes/);
    await rm(path.join(plansDir, 'typo.yaml'));
  });
});
