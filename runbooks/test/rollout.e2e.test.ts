/**
 * sticker-scale-hardening-rollout.md, typed as it stands on a host with the real pm2, under load: from the first percentage to
 * 100 % and back, with a bad worker in the third phase that is caught and taken back. The plans and gates are those of the
 * release, with less time: ten minutes of watching are five seconds. A host for each database, side by side.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ask, drawPng, spawnProcess, startLoad, testDatabaseKinds, waitFor, type Load } from '@omnizap/testkit';
import path from 'node:path';
import { stableFolder } from '../../deploy/pm2/test/pm2-host.ts';
import { runCommand } from '../../deploy/pm2/test/run-command.ts';
import { writeHastenedPlans } from './hastened-plans.ts';
import { openOperatedHost, patience, type OperatedHost } from './operated-host.ts';

/** A whole run waits out its bakes. */
const longestWalkMs = 900_000;
const stable = ['api', 'api', 'maintenance', 'relay', 'worker-classification', 'worker-curation', 'worker-rebuild'];

describe(`sticker-scale-hardening-rollout.md on ${testDatabaseKinds().join(' and ')}`, () => {
  let hosts: OperatedHost[] = [];

  beforeAll(async () => {
    hosts = await Promise.all(testDatabaseKinds().map(async (kind) => await openOperatedHost(kind)));
    await Promise.all(hosts.map(({ host }) => writeHastenedPlans(plansOf(host.folder))));
    for (const { host } of hosts) host.env.ROLLOUT_PLANS_DIR = plansOf(host.folder);
  }, 60_000);

  afterAll(async () => {
    await Promise.all(hosts.map(({ close }) => close()));
  }, 60_000);

  it(
    'is walked to 100 % and back, and what is bad in between is caught and taken back',
    async () => {
      const walks = await Promise.allSettled(hosts.map(walk));
      const failed = walks.flatMap((outcome, index) =>
        outcome.status === 'rejected' ? [`on ${hosts[index]?.kind}: ${String(outcome.reason)}`] : [],
      );
      expect(failed).toEqual([]);
    },
    longestWalkMs,
  );
});

function plansOf(folder: string): string {
  return path.join(folder, 'plans');
}

async function walk(operated: OperatedHost): Promise<void> {
  const { host, open, running, flags, lanesOfNew } = operated;
  const page = await open('sticker-scale-hardening-rollout', { 'release verify': 'release verify --observe 0' });
  const ops = (...args: string[]) => runCommand(stableFolder, 'ops', args, host.env);
  const none = { worker_canary_release: 0, object_storage_delivery: 0 };

  await page.run('Before you begin', {
    after: async (_, index) => {
      if (index !== 0) return;
      await host.markDaemon();
      // pm2 waits for the API only.
      const ready = async (): Promise<boolean> =>
        (await ask(`http://127.0.0.1:${host.env.MAINTENANCE_PORT}/readyz`)).status === 200;
      await waitFor(ready, { ...patience, description: 'maintenance' });
    },
  });
  expect(await running()).toEqual(['api', 'api', 'maintenance', 'relay']);
  const visitors = await startVisitors(operated);
  try {
    await page.run('Phase 1: snapshot read');
    await page.run('Phase 2: outbox');
    const soFar = { ...none, ranking_snapshot_read: 100, domain_event_outbox: 100 };
    expect(await flags()).toEqual({ ...soFar, worker_dedicated_processes: 0 });
    expect(await lanesOfNew(2)).toEqual(['inline']);

    await page.run('Phase 3: dedicated workers', {
      after: async (_, index) => {
        if (index !== 0) return;
        expect(await running()).toEqual(stable);
        await letABadWorkerFail(operated);
        expect(await flags()).toEqual({ ...soFar, worker_dedicated_processes: 0 });
      },
    });
    expect(await lanesOfNew(2)).toEqual(['stable']);
    await page.run('Phase 4: object storage');
    const all = { ...soFar, worker_dedicated_processes: 100, object_storage_delivery: 100 };
    expect(await flags()).toEqual(all);

    await page.run('When a gate fails');
    await page.run('Back');
    expect(await flags()).toEqual({ ...all, worker_dedicated_processes: 0, object_storage_delivery: 0 });
    expect(await lanesOfNew(2)).toEqual(['inline']);
    await page.run('By hand, with the gates');
    expect((await flags()).object_storage_delivery).toBe(5);
    await page.run('By hand, without', {
      after: async (_, index) => {
        if (index === 0) expect((await flags()).worker_dedicated_processes).toBe(25);
      },
    });
    expect(await flags()).toEqual({
      ...none,
      ranking_snapshot_read: 100,
      domain_event_outbox: 0,
      worker_dedicated_processes: 0,
    });
    // Typed SQL wakes nobody: it is known everywhere at the next look.
    await waitFor(async () => (await lanesOfNew(1)).join() === 'inline', patience);
    const explained = await ops('rollout', 'explain');
    expect([explained.code, explained.out]).toEqual([0, expect.stringContaining('0 differ')]);
  } finally {
    const { answered, failed } = await visitors.stop();
    expect([answered > 100, failed]).toEqual([true, {}]);
  }
  expect(page.left()).toEqual([]);
}

/** Half of the way up, the worker of one kind is replaced by one that finds no bytes: its tasks fail and wait for their retry. */
async function letABadWorkerFail(operated: OperatedHost): Promise<void> {
  const { host, flags } = operated;
  const pm2 = (...args: string[]) => runCommand(stableFolder, 'pm2', args, host.env);
  const ops = (...args: string[]) => runCommand(stableFolder, 'ops', args, host.env);
  const climbing = ops('rollout', 'auto', 'dedicated-workers', '--wait', '--timeout', '5', '--reason', 'phase 3');
  await waitFor(async () => ((await flags()).worker_dedicated_processes ?? 0) >= 50, patience);
  // An operator who holds it does not keep it from being taken back.
  expect((await ops('rollout', 'hold', '--reason', 'half is enough today')).code).toBe(0);
  expect((await pm2('stop', 'worker-classification')).code).toBe(0);
  const noBytes = { STICKER_DATA_DIR: path.join(host.folder, 'nothing here'), WORKER_PORT: '0' };
  const bad = await spawnProcess('apps/worker/main.ts', ['classification'], { ...host.env, ...noBytes });
  try {
    const { packKey } = await addPack(operated, 28);
    const { code, out } = await climbing;
    const [, gate] = /gate (backlog_\w+) failed at 50 % of dedicated-workers/.exec(out) ?? [];
    expect([code, gate === undefined ? out : 'caught']).toEqual([1, 'caught']);
    expect(await samplesUpToTheRollback(ops, gate)).toEqual(['hold', 'intend-rollback']);
    // The inline poller finishes what the bad one could not, without anybody's help.
    await waitUntilReady(operated, packKey);
  } finally {
    await bad.stop();
  }
  expect((await pm2('restart', 'worker-classification')).code).toBe(0);
}

/** What was decided at each failed sample of that gate. */
async function samplesUpToTheRollback(
  ops: (...args: string[]) => ReturnType<typeof runCommand>,
  gate = '',
): Promise<string[]> {
  type Decision = { action: string; gates: { gate: string; outcome: string }[] };
  const explained = await ops('rollout', 'explain', '--json');
  const { data } = explained.json<{ data: { state: string; decisions: Decision[] } }>();
  expect([explained.code, data.state]).toEqual([0, 'rolled-back']);
  return data.decisions
    .filter(({ gates }) => gates.some((one) => one.gate === gate && one.outcome === 'fail'))
    .map(({ action }) => action);
}

/** A published pack, and visitors who want it, its bytes and the list: what the gates look at. */
async function startVisitors(operated: OperatedHost): Promise<Load> {
  const { owner } = await operated.client();
  const { packKey, ids } = await addPack(operated, 3);
  await waitUntilReady(operated, packKey);
  expect((await owner.publish(packKey)).status).toBe(200);
  const paths = ['', `/${packKey}`, `/${packKey}/stickers/${ids[0]}.webp`];
  const urls = paths.map((suffix) => `http://127.0.0.1:${operated.host.env.PORT}/api/sticker-packs${suffix}`);
  return startLoad(urls, { kept: 2, fresh: 1, restMs: 100 });
}

let pictures = 50_000;

async function addPack({ client }: OperatedHost, count: number): Promise<{ packKey: string; ids: string[] }> {
  const { owner } = await client();
  const packKey = await owner.createPack({ name: 'Rollout' });
  const stickers = Array.from({ length: count }, () => ({ bytes: drawPng((pictures += 1)), emojis: ['😀'] }));
  return { packKey, ids: await owner.addStickers(packKey, stickers) };
}

async function waitUntilReady({ client }: OperatedHost, packKey: string): Promise<void> {
  const { owner } = await client();
  const isReady = async (): Promise<boolean> =>
    (await owner.pack(packKey)).stickers.every(({ status }) => status === 'ready');
  await waitFor(isReady, { ...patience, timeoutMs: 180_000, description: 'the stickers to be ready' });
}
