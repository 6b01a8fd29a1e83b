/**
 * The procedures of runbooks/, typed as the pages say on one host with the real pm2, one page after the other; after each
 * section the system is looked at for what the page promises. `npm ci` alone is not typed: a test has no registry.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { keepDeadTask } from '@omnizap/catalog';
import { connectDatabase, type Database } from '@omnizap/runtime';
import {
  ask,
  createCatalogueClient,
  drawPng,
  openRunbook,
  testDatabaseKinds,
  waitFor,
  type CatalogueClient,
  type Runbook,
} from '@omnizap/testkit';
import { readlink } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { openPm2Host, stableFolder, type Pm2Host } from '../../deploy/pm2/test/pm2-host.ts';
import { makeRelease } from '../../deploy/pm2/test/release-folder.ts';

const patience = { timeoutMs: 60_000, intervalMs: 200 };
const adminToken = 'the-admin-token-of-a-test';
/** Shorter than an operator watches: what is watched has tests of its own. */
const briefly = { 'release verify': 'release verify --observe 2' };

describe.each(testDatabaseKinds())('the pages of procedure on %s', (kind) => {
  let host: Pm2Host;
  let database: Database;
  let apiUrl: string;
  let owner: CatalogueClient;
  let packKey: string;
  let pictures = 0;
  const opened: Runbook[] = [];
  const [next, other] = ['next', 'other build'].map((name) => () => path.join(host.folder, name)) as [
    () => string,
    () => string,
  ];

  beforeAll(async () => {
    host = await openPm2Host(kind, {
      ADMIN_TOKEN: adminToken,
      STICKER_WORKER_CLASSIFICATION_CADENCE_MS: '1000',
      STICKER_WORKER_CURATION_CADENCE_MS: '1000',
      STICKER_WORKER_REBUILD_CADENCE_MS: '1000',
    });
    database = connectDatabase(host.database.databaseUrl, { poolMax: 2 });
    apiUrl = `http://127.0.0.1:${host.env.PORT}`;
    await Promise.all([makeRelease(next(), '9.0.0'), makeRelease(other(), '9.0.1')]);
  }, 60_000);

  afterAll(async () => {
    await Promise.all(opened.map((page) => page.close()));
    await database.close();
    await host.close();
  }, 60_000);

  async function open(name: string, standIns: Record<string, string> = {}): Promise<Runbook> {
    const page = await openRunbook(name, { env: host.env, database: () => database, kind, standIns });
    opened.push(page);
    return page;
  }

  const running = async (): Promise<string[]> =>
    (await host.listed())
      .filter(({ pm2_env }) => pm2_env.status === 'online')
      .map(({ name }) => name)
      .toSorted();
  const foldersOf = async (): Promise<string[]> => {
    const pids = (await host.listed()).map(({ pid }) => pid);
    return [...new Set(await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/cwd`))))];
  };
  const setFlag = async (flagName: string, isEnabled: 0 | 1, percent: number): Promise<void> => {
    await database
      .knex('feature_flag')
      .where({ flag_name: flagName })
      .update({ is_enabled: isEnabled, rollout_percent: percent, updated_by: 'ops' });
  };
  const flags = async (): Promise<Record<string, number>> => {
    const rows = (await database.knex('feature_flag').select('flag_name', 'is_enabled', 'rollout_percent')) as {
      flag_name: string;
      is_enabled: number;
      rollout_percent: number;
    }[];
    return Object.fromEntries(
      rows.map((row) => [row.flag_name.replace(/^enable_/, ''), row.is_enabled * row.rollout_percent]),
    );
  };
  const inQueue = async <T>(sql: string, values: unknown[] = []): Promise<T[]> => {
    const client = new pg.Client({ connectionString: host.database.queueUrl });
    await client.connect();
    try {
      return (await client.query(sql, values)).rows as T[];
    } finally {
      await client.end();
    }
  };

  async function makeOwner(): Promise<void> {
    const body = { owner_id: 'owner-of-a-test', scopes: ['catalog:write'] };
    const answer = await ask(`${apiUrl}/api/admin/api-keys`, { method: 'POST', key: adminToken, body });
    owner = createCatalogueClient(apiUrl, answer.json<{ data: { key: string } }>().data.key);
    packKey = await owner.createPack({ name: 'Procedures' });
  }

  /** The lanes in which new stickers are classified, once they are ready. */
  async function lanesOfNew(count: number): Promise<string[]> {
    const before = pictures;
    const ids = await owner.addStickers(
      packKey,
      Array.from({ length: count }, () => ({ bytes: drawPng((pictures += 1)) })),
    );
    expect(pictures).toBe(before + count);
    await waitUntilReady(ids);
    const rows = await inQueue<{ name: string }>(
      `SELECT DISTINCT name FROM pgboss.job
        WHERE name LIKE 'classification.%' AND state = 'completed' AND data->>'subject_id' = ANY($1)`,
      [ids],
    );
    return rows.map(({ name }) => name.replace('classification.', '')).toSorted();
  }

  async function waitUntilReady(ids: string[]): Promise<void> {
    await waitFor(
      async () =>
        (await owner.pack(packKey)).stickers
          .filter(({ sticker_id }) => ids.includes(sticker_id))
          .every(({ status }) => status === 'ready'),
      { ...patience, description: 'the new stickers to be ready' },
    );
  }

  it('canary-release.md', async () => {
    const page = await open('canary-release', { ...briefly, 'npm ci': ': "the packages are there"' });

    await page.run('First start', {
      after: async () => {
        await host.markDaemon();
      },
    });
    const stable = ['api', 'api', 'maintenance', 'relay', 'worker-classification', 'worker-curation', 'worker-rebuild'];
    expect(await running()).toEqual(stable);
    await makeOwner();

    await page.run('Canary: the new workers beside the old', { fill: { RELEASE_DIR: next() } });
    expect((await foldersOf()).toSorted()).toEqual([stableFolder, next()].toSorted());
    expect(await lanesOfNew(1)).toEqual(['stable']);
    await setFlag('enable_worker_canary_release', 1, 100);
    await waitFor(async () => (await lanesOfNew(1)).join() === 'canary', patience);

    await page.run('Take it back');
    expect((await flags()).worker_canary_release).toBe(0);
    expect(await running()).toEqual(stable);
    expect(await lanesOfNew(1)).toEqual(['stable']);

    await page.run('Try another build', { fill: { RELEASE_DIR: other() } });
    expect((await foldersOf()).toSorted()).toEqual([stableFolder, other()].toSorted());

    await page.run('Promote');
    expect([await running(), await foldersOf()]).toEqual([stable, [other()]]);
    await page.run('Back to the release before');
    expect([await running(), await foldersOf()]).toEqual([stable, [stableFolder]]);
    expect(await lanesOfNew(1)).toEqual(['stable']);
    expect(page.left()).toEqual([]);
  }, 300_000);

  it('dlq-triage.md', async () => {
    const page = await open('dlq-triage');
    const ids = await owner.addStickers(
      packKey,
      Array.from({ length: 5 }, () => ({ bytes: drawPng((pictures += 1)) })),
    );
    await waitUntilReady(ids);
    const deadSubjects = async (): Promise<number> =>
      (await database.knex('sticker_worker_task_dlq').select('id')).length;
    for (const [index, subjectId] of ids.entries()) {
      const work = { task_type: 'classification', subject_id: subjectId };
      await database.knex('work_state').where(work).increment('wanted_version', 1);
      const { wanted_version: version } = (await database.knex('work_state').where(work).first('wanted_version')) as {
        wanted_version: number;
      };
      const error = index === 0 ? 'Error: connect ECONNREFUSED' : `Error: ENOSPC: no space left, write ${index}`;
      const task = {
        id: uuidv7(),
        taskType: 'classification',
        subjectId,
        attempts: 9,
        error,
        version: Number(version),
      };
      await keepDeadTask(database, { ...task, payload: { subject_id: subjectId } });
    }
    const event = { event_type: 'PACK_UPDATED', aggregate_type: 'sticker_pack', aggregate_id: uuidv7() };
    await database
      .knex('domain_event_outbox')
      .insert({ ...event, payload: '{"pack_id":7}', max_attempts: 1, shard: 3 });
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
  }, 120_000);

  it('rollback.md', async () => {
    const page = await open('rollback', briefly);
    await setFlag('enable_object_storage_delivery', 1, 5);
    await setFlag('enable_worker_canary_release', 1, 10);
    await waitFor(
      async () =>
        (await database.knex('metric_minute').where({ metric: 'omnizap_ranking_snapshot_timestamp_seconds' })).length >
        0,
      { timeoutMs: 100_000, description: 'a sample of the snapshot' },
    );

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

    await page.run('Back up');
    expect(await flags()).toEqual({
      ...lowered,
      ...{ worker_dedicated_processes: 100, domain_event_outbox: 100, ranking_snapshot_read: 100 },
    });
    await waitFor(async () => (await lanesOfNew(1)).join() === 'stable', patience);
    expect(page.left()).toEqual([]);
  }, 240_000);

  it('drain-a-host.md', async () => {
    const page = await open('drain-a-host', { ...briefly, '--timeout 15': '--timeout 1' });
    const ids = await owner.addStickers(
      packKey,
      Array.from({ length: 6 }, () => ({ bytes: drawPng((pictures += 1)) })),
    );
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
  }, 240_000);
});
