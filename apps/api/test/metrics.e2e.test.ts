/**
 * Section 7 of the contract against all processes of a running fleet, as Prometheus sees them: found through /api/ops/targets and
 * read in its text format. What is named is exported, with those labels, by whom it is said; and nothing is exported without a name.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { processNames } from '@omnizap/runtime';
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
import { contractMetrics, metricOfSeries } from '../../../observability/metric-names.ts';
import { readMetricsText, type Sample, type Scrape } from './metrics-text.ts';
import { readContract } from './read-contract.ts';

const metricsToken = 'token-of-those-who-scrape';
/** Exported without a series until something happens that a fleet of some seconds does not do. */
const seldom = [
  'omnizap_object_storage_usable',
  'omnizap_partitions_end_timestamp_seconds',
  'omnizap_rollout_decisions_total',
  'omnizap_rollout_run_state',
  'omnizap_rollout_stage_percent',
  'omnizap_task_depth',
];
/** Of a bucket, which this fleet does not have. */
const ofBuckets = ['omnizap_object_storage_usable'];
const ofTheLeader = [
  'omnizap_processes',
  'omnizap_queue_depth',
  'omnizap_queue_oldest_age_seconds',
  'omnizap_gauges_refreshed_timestamp_seconds',
  'omnizap_database_size_bytes',
  'omnizap_database_connections',
  'omnizap_database_connections_limit',
  'omnizap_database_lock_waits',
  'omnizap_database_longest_lock_wait_seconds',
];
const ofEveryProcess = [
  'omnizap_build_info',
  'omnizap_database_query_duration_seconds',
  'omnizap_database_query_errors_total',
  'omnizap_database_slow_queries_total',
  'omnizap_database_pool_connections',
  'omnizap_database_pool_limit',
  'nodejs_eventloop_lag_p99_seconds',
  'process_resident_memory_bytes',
];

describe.each(testDatabaseKinds())('the metrics of a fleet on %s', (kind) => {
  const promised = contractMetrics();
  // One of the two fleets has a token, the other is open to its own host.
  const token = kind === 'mysql' ? metricsToken : undefined;
  let fleet: Fleet;
  let anybody: CatalogueClient;
  let scrapes: Map<string, Scrape>;

  const scrape = async (url: string): Promise<Scrape> =>
    readMetricsText((await ask(`${url}/metrics`, { key: token })).bytes.toString('utf8'));
  const targets = async (): Promise<{ url: string; process: string }[]> => {
    const listed = (await createCatalogueClient(fleet.apiUrl, fleet.adminToken).get('/api/ops/targets')).json<
      { targets: string[]; labels: { process: string } }[]
    >();
    return listed.map(({ targets: [host = ''], labels }) => ({ url: `http://${host}`, process: labels.process }));
  };
  const nameOf = (series: string): string => metricOfSeries(promised, series) ?? series;
  const samplesOf = (name: string, process?: string): Sample[] =>
    [...scrapes]
      .filter(([own]) => process === undefined || own === process)
      .flatMap(([, { samples }]) => samples.filter(({ series }) => nameOf(series) === name));

  beforeAll(async () => {
    const env: Record<string, string> = token === undefined ? {} : { METRICS_TOKEN: token };
    // Whatever is answered is a violation then.
    fleet = await startFleet(kind, { env: { ...env, HTTP_SLO_TARGET_MS: '1' } });
    const own = createCatalogueClient(fleet.apiUrl, (await fleet.createOwner()).key);
    anybody = createCatalogueClient(fleet.apiUrl);
    const packKey = await own.createPack({ name: 'Measured' });
    await own.addStickers(packKey, [{ bytes: drawPng(1), emojis: ['🙂'] }]);
    await own.publish(packKey);
    await anybody.interact(packKey, 'open');
    await waitFor(async () => (await anybody.list()).data.length > 0, {
      timeoutMs: 45_000,
      description: 'the pack in the list',
    });
    const [sticker] = (await anybody.pack(packKey)).stickers;
    await anybody.get(new URL(sticker?.asset_url ?? '', fleet.apiUrl).pathname);
    let missing: string[] = [];
    scrapes = await waitFor(
      async () => {
        const found = new Map<string, Scrape>();
        for (const { url, process } of await targets()) found.set(process, await scrape(url));
        const seen = new Set([...found.values()].flatMap(({ samples }) => samples.map(({ series }) => nameOf(series))));
        missing = [...promised.keys()].filter((name) => !seen.has(name) && !seldom.includes(name));
        return missing.length === 0 && found;
      },
      { timeoutMs: 60_000, description: 'a series of each metric' },
    ).catch((error: unknown) => {
      throw new Error(`There is no series of ${missing.join(', ')}`, { cause: error });
    });
  }, 180_000);
  afterAll(async () => await fleet?.stop(), 60_000);

  it('are exported by every kind of process, found in the list of targets', () => {
    expect([...scrapes.keys()].toSorted()).toEqual([...processNames].toSorted());
    for (const process of processNames)
      for (const name of ofEveryProcess)
        expect([process, name, samplesOf(name, process).length > 0]).toEqual([process, name, true]);
    for (const { labels } of samplesOf('omnizap_build_info')) expect(processNames).toContain(labels.process);
  });

  it('are those of the contract with its types and labels, and no others', () => {
    const exported = new Map([...scrapes.values()].flatMap(({ types }) => [...types]));
    // Those of Node and of the process as well, by the naming rules of Prometheus.
    for (const [name, type] of exported) expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter']);
    const own = [...exported.keys()].filter((name) => name.startsWith('omnizap_'));
    expect(own.filter((name) => !promised.has(name))).toEqual([]);
    expect([...promised.keys()].filter((name) => !exported.has(name))).toEqual(ofBuckets);
    for (const name of own) {
      expect([name, exported.get(name)]).toEqual([name, promised.get(name)?.type]);
      const labels = samplesOf(name).map((sample) => Object.keys(sample.labels).filter((label) => label !== 'le'));
      for (const found of new Set(labels.map((list) => list.toSorted().join())))
        expect([name, found]).toEqual([name, promised.get(name)?.labels.join()]);
    }
  });

  it('come from the leading process where there is to be one exporter only', () => {
    for (const name of ofTheLeader)
      expect([name, [...scrapes.keys()].filter((process) => samplesOf(name, process).length > 0)]).toEqual([
        name,
        ['maintenance'],
      ]);
  });

  it('have the buckets, the groups and the queues of the contract', async () => {
    const section = (await readContract()).section(7);
    const [, buckets = ''] = /buckets ([\d,]+)\)/.exec(section) ?? [];
    const [, groupList = ''] = /maps every route to its group: (.*?)\. The HTTP SLO/.exec(section) ?? [];
    const groups = groupList.replace(/\([^)]*\)/g, '').match(/\w+/g) ?? [];
    const [, queueList = ''] = /with queue = (.*?); `omnizap_queue_oldest/.exec(section) ?? [];
    const queues = [...queueList.matchAll(/`([\w|]+)`/g)].flatMap(([, entry = '']) => {
      const [first = '', ...others] = entry.split('|');
      return [first, ...others.map((state) => first.replace(/_pending$/, state))];
    });

    const found = samplesOf('omnizap_http_request_duration_ms', 'api').map(({ labels }) => labels.le);
    expect([...new Set(found.filter((bound) => bound !== undefined && bound !== '+Inf'))]).toEqual(buckets.split(','));
    for (const { labels } of samplesOf('omnizap_http_requests_total')) expect(groups).toContain(labels.route_group);
    expect(
      samplesOf('omnizap_queue_depth')
        .map(({ labels }) => labels.queue)
        .toSorted(),
    ).toEqual(queues.toSorted());
    expect(
      samplesOf('omnizap_queue_oldest_age_seconds')
        .map(({ labels }) => labels.queue)
        .toSorted(),
    ).toEqual(
      queues.filter((queue) => /^(sticker_worker_tasks|domain_event_outbox|delivery)_pending$/.test(queue)).toSorted(),
    );
  });

  it('say how the database servers are', () => {
    const valueOf = (name: string, database: string): number =>
      samplesOf(name).find(({ labels }) => labels.database === database)?.value ?? NaN;
    for (const database of ['catalogue', 'queue']) {
      expect(valueOf('omnizap_database_size_bytes', database)).toBeGreaterThan(100_000);
      expect(valueOf('omnizap_database_connections', database)).toBeGreaterThan(5);
      expect(valueOf('omnizap_database_connections_limit', database)).toBeGreaterThan(
        valueOf('omnizap_database_connections', database),
      );
      expect(valueOf('omnizap_database_lock_waits', database)).toBeGreaterThanOrEqual(0);
    }
    const [refreshed] = samplesOf('omnizap_gauges_refreshed_timestamp_seconds');
    expect(Date.now() / 1_000 - (refreshed?.value ?? 0)).toBeLessThan(90);
  });

  it('say who lives, and miss a process that is gone within its lease and the next look', async () => {
    const maintenance = fleet.process('maintenance').url;
    const seen = async (expected: Record<string, number>): Promise<void> => {
      const live = async (): Promise<string> => {
        const { samples } = await scrape(maintenance);
        const own = samples.filter(({ series }) => series === 'omnizap_processes');
        return own.map(({ labels, value }) => `${labels.process} ${value}`).join();
      };
      const wanted = processNames.map((name) => `${name} ${expected[name] ?? 1}`).join();
      await waitFor(async () => (await live()) === wanted, { timeoutMs: 40_000, description: wanted });
    };
    await seen({});

    await fleet.kill(fleet.process('worker-curation'));
    await seen({ 'worker-curation': 0 });
  }, 90_000);

  it(`are for ${token === undefined ? 'the host of the process alone' : 'who has the token alone'}`, async () => {
    const statusOf = async (url: string, headers: Record<string, string>): Promise<number> =>
      (await ask(`${url}/metrics`, { headers })).status;
    for (const { process, name } of fleet.all()) {
      const answers = [
        await statusOf(process.url, {}),
        await statusOf(process.url, { 'X-Forwarded-For': '127.0.0.1' }),
        await statusOf(process.url, { Authorization: 'Bearer another-token-of-a-length' }),
        await statusOf(process.url, { Authorization: `Bearer ${metricsToken}` }),
      ];
      expect([name, answers]).toEqual([name, token === undefined ? [200, 401, 200, 200] : [401, 401, 401, 200]]);
      expect([name, (await ask(`${process.url}/healthz`)).status]).toEqual([name, 200]);
    }
  });
});
