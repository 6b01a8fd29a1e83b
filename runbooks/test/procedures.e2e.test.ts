/**
 * The procedures of runbooks/, typed as the pages say on a host with the real pm2, one page after the other; after each section
 * the system is looked at for what the page promises. A host for each database, side by side: most of it is waiting.
 * `npm ci` alone is not typed: a test has no registry.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { keepDeadTask } from '@omnizap/catalog';
import { createCatalogueClient, spawnProcess, testDatabaseKinds, waitFor, type Runbook } from '@omnizap/testkit';
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { v7 as uuidv7 } from 'uuid';
import { stableFolder } from '../../deploy/pm2/test/pm2-host.ts';
import { makeRelease } from '../../deploy/pm2/test/release-folder.ts';
import { runCommand } from '../../deploy/pm2/test/run-command.ts';
import { adminToken, createKey, openOperatedHost, patience, type OperatedHost } from './operated-host.ts';

/** Without the ten seconds that an operator watches on: that has tests of its own. */
const briefly = { 'release verify': 'release verify --observe 0' };

const next = ({ host }: OperatedHost): string => path.join(host.folder, 'next');
const other = ({ host }: OperatedHost): string => path.join(host.folder, 'other build');

describe(`the pages of procedure on ${testDatabaseKinds().join(' and ')}`, () => {
  let hosts: OperatedHost[] = [];

  beforeAll(async () => {
    hosts = await Promise.all(testDatabaseKinds().map(openOperatedHost));
    await onEach(async (operated) => {
      await makeRelease(next(operated), '9.0.0');
      await makeRelease(other(operated), '9.0.1');
    });
  }, 60_000);

  afterAll(() => onEach(({ close }) => close()), 60_000);

  /** Every host gets to its end, also when another one fails. */
  async function onEach(walk: (operated: OperatedHost) => Promise<void>, on = hosts): Promise<void> {
    const walks = await Promise.allSettled(on.map(walk));
    const failed = walks.flatMap((outcome, index) =>
      outcome.status === 'rejected' ? [{ kind: on[index]?.kind, error: outcome.reason as unknown }] : [],
    );
    for (const { kind, error } of failed) if (error instanceof Error) error.message = `on ${kind}: ${error.message}`;
    if (failed.length > 1)
      throw new AggregateError(
        failed.map(({ error }) => error),
        failed.map(({ error }) => String(error)).join('\n'),
      );
    if (failed[0]) throw failed[0].error;
  }

  it(
    'canary-release.md: brings a release beside the first, takes it back, promotes it and goes back',
    () => onEach(canaryRelease),
    300_000,
  );

  it('dlq-triage.md: redrives and discards what failed for good', () => onEach(dlqTriage), 120_000);

  it('rollback.md: takes flags back and raises them again, with work done throughout', () => onEach(rollback), 240_000);

  it('drain-a-host.md: leaves nothing in hand, and brings the host back', () => onEach(drainAHost), 240_000);

  it(
    'restore.md: brings back what was backed up, and the fleet finishes what was not done',
    () =>
      onEach(
        restore,
        hosts.filter(({ hasTools }) => hasTools),
      ),
    300_000,
  );
});

async function canaryRelease(operated: OperatedHost): Promise<void> {
  const { host, open, running, folders, setFlag, flags, lanesOfNew } = operated;
  const page = await open('canary-release', { ...briefly, 'npm ci': ': "the packages are there"' });

  await page.run('First start', {
    after: async () => {
      await host.markDaemon();
    },
  });
  const stable = ['api', 'api', 'maintenance', 'relay', 'worker-classification', 'worker-curation', 'worker-rebuild'];
  expect(await running()).toEqual(stable);

  await page.run('Canary: the new workers beside the old', { fill: { RELEASE_DIR: next(operated) } });
  expect(await folders()).toEqual([stableFolder, next(operated)].toSorted());
  expect(await lanesOfNew(1)).toEqual(['stable']);
  await setFlag('enable_worker_canary_release', 1, 100);
  await waitFor(async () => (await lanesOfNew(1)).join() === 'canary', patience);

  await page.run('Take it back');
  expect((await flags()).worker_canary_release).toBe(0);
  expect(await running()).toEqual(stable);
  expect(await lanesOfNew(1)).toEqual(['stable']);

  await page.run('Try another build', { fill: { RELEASE_DIR: other(operated) } });
  expect(await folders()).toEqual([stableFolder, other(operated)].toSorted());

  await page.run('Promote');
  expect([await running(), await folders()]).toEqual([stable, [other(operated)]]);
  await page.run('Back to the release before');
  expect([await running(), await folders()]).toEqual([stable, [stableFolder]]);
  expect(await lanesOfNew(1)).toEqual(['stable']);
  expect(page.left()).toEqual([]);
}

async function dlqTriage(operated: OperatedHost): Promise<void> {
  const { database, open, upload, waitUntilReady } = operated;
  const page = await open('dlq-triage');
  const ids = await upload(5);
  await waitUntilReady(ids);
  const deadSubjects = async (): Promise<number> =>
    (await database.knex('sticker_worker_task_dlq').select('id')).length;
  for (const [index, subjectId] of ids.entries()) {
    const work = { task_type: 'classification', subject_id: subjectId };
    await database.knex('work_state').where(work).increment('wanted_version', 1);
    const version = Number(
      (await database.knex<{ wanted_version: number }>('work_state').where(work).first())?.wanted_version,
    );
    const error = index === 0 ? 'Error: connect ECONNREFUSED' : `Error: ENOSPC: no space left, write ${index}`;
    const task = {
      id: uuidv7(),
      taskType: 'classification',
      subjectId,
      attempts: 9,
      error,
      version,
    };
    await keepDeadTask(database, { ...task, payload: { subject_id: subjectId } });
  }
  const event = { event_type: 'PACK_UPDATED', aggregate_type: 'sticker_pack', aggregate_id: uuidv7() };
  await database.knex('domain_event_outbox').insert({ ...event, payload: '{"pack_id":7}', max_attempts: 1, shard: 3 });
  await waitFor(async () => (await database.knex('domain_event_outbox_dlq').select('id')).length === 1, patience);

  await page.run('1. Look: how many causes are there?');
  const [{ id: task }] = (await database
    .knex('sticker_worker_task_dlq')
    .where('last_error', 'like', '%ENOSPC%')
    .select('id')) as [{ id: number }];
  const [{ id: deadEvent }] = (await database.knex('domain_event_outbox_dlq').select('id')) as [{ id: number }];
  const [shown] = await page.run('2. Understand one', {
    fill: { TASK: `tasks:${task}`, EVENT: `outbox:${deadEvent}` },
  });
  expect(shown?.out).toMatch(/Error: ENOSPC: no space left, write \d[\s\S]*does not match its schema/);
  const fill = { TYPE: 'classification', CAUSE: 'ENOSPC' };
  const [preview] = await page.run('3. Mend the cause, then look at what would happen', { fill });
  expect([preview?.out.includes('4'), await deadSubjects()]).toEqual([true, 5]);

  await page.run('4. Redrive', {
    after: async (_, index) => expect(await deadSubjects()).toBe(index === 0 ? 1 : 0),
  });
  await waitFor(
    async () =>
      (
        await database
          .knex('work_state')
          .where({ task_type: 'classification' })
          .whereIn('subject_id', ids)
          .whereRaw('done_version >= wanted_version')
      ).length === ids.length,
    { ...patience, description: 'the redriven work to be done' },
  );
  await page.run('5. Or discard');
  const [, audit] = await page.run('6. See that it is over');
  expect(audit?.rows.map(({ reason }) => reason)).toEqual(
    expect.arrayContaining(['written by hand, the pack is gone', 'the database is back', 'disk grown']),
  );
  expect(audit?.rows).toHaveLength(5);
  expect(page.left()).toEqual([]);
}

async function rollback(operated: OperatedHost): Promise<void> {
  const { database, open, setFlag, flags, lanesOfNew } = operated;
  const page = await open('rollback', briefly);
  await setFlag('enable_object_storage_delivery', 1, 5);
  await setFlag('enable_worker_canary_release', 1, 10);
  await page.run('Now: one command');
  const lowered = { object_storage_delivery: 0, worker_canary_release: 0, worker_dedicated_processes: 0 };
  expect(await flags()).toEqual({ ...lowered, domain_event_outbox: 100, ranking_snapshot_read: 100 });
  expect(await lanesOfNew(2)).toEqual(['inline']);

  await setFlag('enable_object_storage_delivery', 1, 5);
  await page.run('One flag only');
  expect((await flags()).object_storage_delivery).toBe(0);
  await page.run('By SQL, where nothing of ours can be typed');
  expect(await flags()).toEqual({ ...lowered, domain_event_outbox: 0, ranking_snapshot_read: 100 });
  // Nothing announces it: the sweep finds it, and the inline poller works it.
  expect(await lanesOfNew(1)).toEqual(['inline']);

  const [look] = await page.run('See that it worked');
  expect(
    look?.rows.map(({ flag_name, is_enabled, rollout_percent }) => [flag_name, is_enabled, rollout_percent]),
  ).toEqual([
    ['enable_domain_event_outbox', 0, 0],
    ['enable_object_storage_delivery', 0, 0],
    ['enable_ranking_snapshot_read', 1, 100],
    ['enable_worker_dedicated_processes', 0, 0],
  ]);
  await page.run('Let nothing be raised meanwhile');
  expect(await database.knex('rollout_freeze').select()).toHaveLength(1);

  await page.run('Raise them again');
  expect(await flags()).toEqual({
    ...lowered,
    ...{ worker_dedicated_processes: 100, domain_event_outbox: 100, ranking_snapshot_read: 100 },
  });
  await waitFor(async () => (await lanesOfNew(1)).join() === 'stable', patience);
  expect(page.left()).toEqual([]);
}

async function drainAHost(operated: OperatedHost): Promise<void> {
  const { host, database, open, running, upload, waitUntilReady, inQueue, lanesOfNew } = operated;
  const page = await open('drain-a-host', { ...briefly, '--timeout 15': '--timeout 1' });
  const ids = await upload(6);
  const inHand = async (): Promise<unknown[]> => [
    await database.knex('process_lease').select(),
    await database.knex('held_lease').whereNotNull('process_id').select(),
    await inQueue(
      `SELECT id FROM pgboss.job WHERE state = 'active' AND name ~ '^(classification|derivative|curation|rebuild)'`,
    ),
  ];

  await page.run('Stop, in this order');
  expect(await running()).toEqual([]);
  expect(await inHand()).toEqual([[], [], []]);
  const [seen] = await page.run('See that nothing is left');
  expect(seen?.out).toMatch(/api: no such process is alive/);
  expect(await host.listed()).toEqual([]);

  await page.run('Bring it back');
  await waitUntilReady(ids);
  expect(await lanesOfNew(1)).toEqual(['stable']);
  expect(page.left()).toEqual([]);
}

async function restore(operated: OperatedHost): Promise<void> {
  const { kind, host, open, client, upload, waitUntilReady, lanesOfNew } = operated;
  const data = host.env.STICKER_DATA_DIR ?? '';
  const backup = path.join(host.folder, 'back up');
  const page = await open('restore', { ...briefly, '--timeout 10': '--timeout 1' });
  const ops = (...args: string[]) => runCommand(stableFolder, 'ops', args, host.env);
  const { owner, packKey } = await client();
  const stickersNow = async (): Promise<string[]> =>
    (await owner.pack(packKey)).stickers.map(({ sticker_id }) => sticker_id);
  const bytesOf = async (id: string): Promise<string> => {
    const { status, bytes } = await owner.get(`/api/sticker-packs/${packKey}/stickers/${id}.webp`);
    return `${status} ${createHash('sha256').update(bytes).digest('hex')}`;
  };

  await waitUntilReady(await upload(2));
  const ready = await stickersNow();
  const bytes = await Promise.all(ready.map(bytesOf));
  expect(bytes.filter((one) => one.startsWith('200 ')).length).toBe(ready.length);
  // Work of the dump that is not done, and whose tasks will be gone with the queue.
  expect((await ops('queues', 'pause', 'classification', '--reason', 'test')).code).toBe(0);
  const pending = await upload(3);
  await page.run('Where to', { fill: { BACKUP_DIR: backup } });
  await page.run('Back up the catalogue');
  const later = await upload(2);
  await page.run('Then the bytes');
  const proof = await page.run('See that the copy is whole');
  expect(proof.map(({ out }) => out.trim())).toEqual(['', '', String(ready.length + pending.length)]);

  await page.run('Restore 1: stop everything');
  expect(await operated.running()).toEqual([]);
  await rm(path.join(data, 'stickers'), { recursive: true });
  await page.run('Restore 2: an empty database');
  await page.run('Restore 3: the catalogue, then its schema');
  const [restored] = await page.run('Restore 4: the bytes');
  expect(restored?.out).toBe('');
  await page.run('Restore 5: what the old catalogue believes');
  expect((await ops('queues', 'resume', '--all', '--reason', 'restored')).code).toBe(0);
  await page.run('Restore 6: start, and see that it converges');

  expect((await stickersNow()).toSorted()).toEqual([...ready, ...pending].toSorted());
  expect(await Promise.all(ready.map(bytesOf))).toEqual(bytes);
  await waitUntilReady(pending);
  expect(await lanesOfNew(1)).toEqual(['stable']);
  expect(await stickersNow()).toEqual(expect.not.arrayContaining(later));

  const [copying, restoring] = [
    'An installation of `npm start`, backed up',
    'An installation of `npm start`, restored',
  ] as const;
  if (kind === 'mysql') expect([await page.run(copying), await page.run(restoring)]).toEqual([[], []]);
  else await restoreInstallation(page, { copying, restoring, folder: host.folder });
  expect(page.left()).toEqual([]);
}

/** Its PostgreSQL is the embedded one, whatever the fleet of the host runs on. */
async function restoreInstallation(
  page: Runbook,
  { copying, restoring, folder }: { copying: string; restoring: string; folder: string },
): Promise<void> {
  const dataDir = path.join(folder, 'own data');
  const ports = ['PORT', 'RELAY_PORT', 'MAINTENANCE_PORT', 'EMBEDDED_POSTGRES_PORT'];
  const workerPorts = ['CLASSIFICATION', 'CURATION', 'REBUILD'].map((worker) => `WORKER_${worker}_PORT`);
  const anyPorts = Object.fromEntries([...ports, ...workerPorts].map((variable) => [variable, '0']));
  const env = { ...anyPorts, STICKER_DATA_DIR: dataDir, STICKER_DEMO: '0', ADMIN_TOKEN: adminToken };
  const start = () => spawnProcess('tools/start.ts', [], env, { readyTimeoutMs: 90_000 });

  const first = await start();
  const key = await createKey(first.url);
  const packKey = await createCatalogueClient(first.url, key).createPack({ name: 'Before the copy' });
  await first.stop();
  await page.run(copying, { fill: { DATA_DIR: dataDir, COPY_DIR: path.join(folder, 'copy of data') } });
  await rm(path.join(dataDir, 'postgres', 'server', 'files', 'base'), { recursive: true });
  await page.run(restoring);
  const second = await start();
  const found = await createCatalogueClient(second.url, key).pack(packKey);
  await second.stop();

  expect(found.name).toBe('Before the copy');
}
