/** Who works what, as operators decide it: by statements typed into `feature_flag`, and by who is alive. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bucketOf } from '@omnizap/rollout';
import {
  ask,
  createCatalogueClient,
  drawPng,
  startFleet,
  testDatabaseKinds,
  waitFor,
  type CatalogueClient,
  type Fleet,
} from '@omnizap/testkit';
import pg from 'pg';

/** A fleet starts and works as fast as a busy machine lets it. */
const patience = { timeoutMs: 60_000, intervalMs: 200 };

describe.each(testDatabaseKinds())('the lanes of a fleet on %s', (kind) => {
  let fleet: Fleet;
  let owner: CatalogueClient;
  let pictures = 0;

  beforeAll(async () => {
    fleet = await startFleet(kind, {
      env: {
        STICKER_WORKER_CLASSIFICATION_CADENCE_MS: '1000',
        STICKER_WORKER_CURATION_CADENCE_MS: '1000',
        STICKER_WORKER_REBUILD_CADENCE_MS: '1000',
      },
    });
    owner = createCatalogueClient(fleet.apiUrl, (await fleet.createOwner()).key);
  });
  afterAll(() => fleet.stop());

  const setFlag = (flag: string, isEnabled: 0 | 1, percent: number): Promise<unknown> =>
    Promise.resolve(
      fleet.database.knex.raw(
        `UPDATE feature_flag SET is_enabled = ${isEnabled}, rollout_percent = ${percent}, updated_by = 'ops' WHERE flag_name = '${flag}';`,
      ),
    );
  const urlsOf = async (): Promise<string[]> => {
    const targets = (await ask(`${fleet.apiUrl}/api/ops/targets`)).json<{ targets: string[] }[]>();
    return targets.flatMap((entry) => entry.targets).map((target) => `http://${target}`);
  };
  const metric = async (url: string, name: string): Promise<number> => {
    const text = (await ask(`${url}/metrics`)).bytes.toString('utf8');
    const lines = text.split('\n').filter((line) => line.startsWith(name));
    return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  };
  /** Every process says so in its metrics. */
  const isKnownEverywhere = async (flag: string, percent: number): Promise<boolean> => {
    const known = await Promise.all(
      (await urlsOf()).map((url) => metric(url, `omnizap_feature_flag_rollout_percent{flag="${flag}"`)),
    );
    return known.length >= 6 && known.every((value) => value === percent);
  };
  /** Finished by lane, over all processes. */
  const doneBy = async (lane: string): Promise<number> => {
    const counts = await Promise.all(
      (await urlsOf()).map(async (url) => {
        const text = (await ask(`${url}/metrics`)).bytes.toString('utf8');
        return text
          .split('\n')
          .filter((line) => line.startsWith('omnizap_worker_task_duration_seconds_count'))
          .filter((line) => line.includes(`lane="${lane}"`) && line.includes('outcome="done"'))
          .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
      }),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  };

  /** Each sticker with the queue in which it was classified. */
  async function classifiedIn(ids: string[]): Promise<string[][]> {
    const queue = new pg.Client({ connectionString: fleet.queueUrl });
    await queue.connect();
    try {
      const { rows } = await queue.query<{ subject: string; name: string }>(
        `SELECT DISTINCT data->>'subject_id' AS subject, name FROM pgboss.job
          WHERE name LIKE 'classification.%' AND state = 'completed' AND data->>'subject_id' = ANY($1)`,
        [ids],
      );
      return rows.map(({ subject, name }) => [subject, name]).toSorted();
    } finally {
      await queue.end();
    }
  }

  /** A new public pack with stickers, worked to its place in the ranking. */
  async function publishPack(stickers: number): Promise<string> {
    const packKey = await owner.createPack({ name: `Lanes ${(pictures += 1)}`, visibility: 'public' });
    await owner.addStickers(
      packKey,
      Array.from({ length: stickers }, () => ({ bytes: drawPng((pictures += 1)), emojis: ['😀'] })),
    );
    await waitFor(async () => (await owner.pack(packKey)).stickers.every(({ status }) => status === 'ready'), {
      ...patience,
      description: `the stickers of ${packKey} to be ready`,
    });
    await owner.publish(packKey);
    await waitFor(
      async () => (await owner.list('?sort=recent&limit=60')).data.some((pack) => pack.pack_key === packKey),
      {
        ...patience,
        description: `${packKey} to be ranked`,
      },
    );
    return packKey;
  }

  it("are the dedicated workers' at first", async () => {
    await publishPack(2);

    expect(await doneBy('inline')).toBe(0);
    expect(await doneBy('stable')).toBeGreaterThan(0);
  });

  it("become the inline poller's when the dedicated processes are switched off by hand, which is audited", async () => {
    await setFlag('enable_worker_dedicated_processes', 0, 0);
    await waitFor(() => isKnownEverywhere('enable_worker_dedicated_processes', 0), patience);
    const before = await doneBy('stable');
    await publishPack(3);

    expect(await doneBy('inline')).toBeGreaterThan(3);
    expect(await doneBy('stable')).toBe(before);
    const audit = await waitFor<object | undefined>(
      () =>
        fleet.database
          .knex('admin_action_audit')
          .where({ action: 'flag.changed-by-hand' })
          .first<object | undefined>('actor', 'target_id'),
      patience,
    );
    expect(audit).toMatchObject({ actor: 'ops', target_id: 'enable_worker_dedicated_processes' });
  });

  it('share the work by subject while the flag is at half, a canary taking its part', async () => {
    const canary = await fleet.start('worker-classification', { WORKER_RELEASE: 'canary' });
    await setFlag('enable_worker_dedicated_processes', 1, 50);
    await setFlag('enable_worker_canary_release', 1, 50);
    await waitFor(() => isKnownEverywhere('enable_worker_canary_release', 50), patience);
    await waitFor(() => isKnownEverywhere('enable_worker_dedicated_processes', 50), patience);
    const packKey = await publishPack(16);

    const ids = (await owner.pack(packKey)).stickers.map((sticker) => sticker.sticker_id);
    const expected = ids.map((id) => {
      if (bucketOf('enable_worker_dedicated_processes', id) > 50) return [id, 'classification.inline'];
      return [id, `classification.${bucketOf('enable_worker_canary_release', id) <= 50 ? 'canary' : 'stable'}`];
    });
    expect(await classifiedIn(ids)).toEqual(expected.toSorted());
    const ofCanary = expected.filter(([, queue]) => queue === 'classification.canary').length;
    expect(
      await metric(canary.url, 'omnizap_worker_task_duration_seconds_count{task_type="classification",outcome="done"'),
    ).toBe(ofCanary);
    await fleet.kill(canary);
  });

  it('of a dead canary and of dead dedicated workers are worked by others, whatever the flags say', async () => {
    await setFlag('enable_worker_dedicated_processes', 1, 100);
    await waitFor(() => isKnownEverywhere('enable_worker_dedicated_processes', 100), patience);
    await publishPack(4);
    await fleet.kill(fleet.process('worker-classification'));
    await fleet.kill(fleet.process('worker-curation'));
    await fleet.kill(fleet.process('worker-rebuild'));
    await publishPack(4);

    await fleet.start('worker-classification');
    await fleet.start('worker-curation');
    await fleet.start('worker-rebuild');
  });

  it('find by sweeps what the outbox does not announce when it is off', async () => {
    await setFlag('enable_domain_event_outbox', 0, 0);
    await waitFor(() => isKnownEverywhere('enable_domain_event_outbox', 0), patience);
    const events = async (): Promise<number> =>
      Number((await fleet.database.knex('domain_event_outbox').max<{ id: number }[]>({ id: 'id' }))[0]?.id);
    const before = await events();
    await publishPack(2);

    expect(await events()).toBe(before);
    await setFlag('enable_domain_event_outbox', 1, 100);
  });

  it('do not matter to lists: without the snapshot flag they come from the tables, and a cursor stays with its source', async () => {
    const first = await owner.list('?sort=recent&limit=1');
    await setFlag('enable_ranking_snapshot_read', 1, 0);
    await waitFor(() => isKnownEverywhere('enable_ranking_snapshot_read', 0), patience);
    const live = await owner.list('?sort=recent&limit=60');

    expect(live.meta).toMatchObject({ source: 'live', generation: null });
    const next = await owner.list(`?sort=recent&limit=1&cursor=${first.pagination.next_cursor ?? ''}`);
    expect(next.meta).toMatchObject({ source: 'snapshot', generation: first.meta.generation });
    await setFlag('enable_ranking_snapshot_read', 1, 100);
    await waitFor(() => isKnownEverywhere('enable_ranking_snapshot_read', 100), patience);
    const snapshot = await owner.list('?sort=recent&limit=60');
    expect(snapshot.meta.source).toBe('snapshot');
    // Automatic packs may change between the two answers.
    const own = (list: typeof live): string[] =>
      list.data.map((pack) => pack.pack_key).filter((key) => key.startsWith('lanes-'));
    expect(own(live).length).toBeGreaterThan(3);
    expect(own(snapshot)).toEqual(own(live));
  });
});
