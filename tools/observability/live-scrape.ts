/**
 * The gate that believes nothing but a running fleet: Prometheus, with the committed configuration and rules, finds and scrapes every
 * process, by the token without which none of them answers it;
 * each rule has to evaluate, each query of each dashboard has to find series, promtool has to like what is exported, and no alert may
 * fire. The fleet is `npm start`'s, with a bucket, a rollout of canary workers, and somebody who subscribed.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { locateSwift, startSwift, type MonitoringInstallation } from '@omnizap/embedded';
import { ask, createCatalogueClient, drawPng, waitFor } from '@omnizap/testkit';
import { contractMetrics } from '../../observability/metric-names.ts';
import { panelQueries, type PanelQuery } from '../../observability/grafana/dashboards.ts';
import { startMonitoring, type Monitoring } from '../../observability/live/start-monitoring.ts';
import { recordingGroups } from '../../observability/rules/recording-rules.ts';
import { alerts } from '../../observability/slo.ts';
import { startBenchFleet, type BenchFleet } from '../bench/bench-fleet.ts';
import type { Gate } from '../check/run-gates.ts';

/** Ten minutes pass in twenty seconds. */
const timeScale = 30;
/** Four scrapes, as Grafana asks for. */
const rateInterval = '4s';
const intervalMs = 1_000;
/** For everything that is waited for, together. */
const patienceMs = 150_000;
/** So long everything that could fire has to keep silent. */
const silenceMs = 15_000;
const stickersOfPack = 3;
const bucket = 'stickers';
/** Exit code for what it can read and does not like. */
const promtoolComplains = 3;
const metricsOfContract = contractMetrics();
const canaries = ['worker-classification', 'worker-curation', 'worker-rebuild'];

/**
 * What a fleet that is healthy and a minute old cannot have. Any other query has to find something, also one whose panel says that
 * it may be empty.
 */
const excused = new Set([
  'no history yet',
  'none was slow',
  'none was slower or failed',
  'nothing was old enough',
  'no policy has run since the processes were started',
  'no alert fires or is pending',
  'no table is divided by day',
  'all were given',
]);

type Options = { root: string; installation: MonitoringInstallation };

type FleetOptions = {
  root: string;
  folder: string;
  metricsToken: string;
  cleanUp: (step: () => Promise<void>) => void;
  signal: AbortSignal;
};

export function createLiveScrapeGate({ root, installation }: Options): Gate {
  return {
    name: 'live-scrape',
    run: async (signal) => {
      const folder = await mkdtemp(path.join(tmpdir(), 'omnizap watched '));
      const steps = [async (): Promise<void> => await rm(folder, { recursive: true, force: true })];
      const cleanUp = (step: () => Promise<void>): void => void steps.push(step);
      const metricsToken = randomBytes(24).toString('base64url');
      try {
        const fleet = await startFleet({ root, folder, metricsToken, cleanUp, signal });
        const traffic = await startTraffic(fleet, cleanUp);
        const monitoring = await startMonitoring({
          ...{ installation, apiUrl: fleet.apiUrl, metricsToken, timeScale, signal },
          folder: path.join(folder, 'monitoring'),
        });
        cleanUp(monitoring.stop);
        const { findings, remark } = await judge(monitoring, { fleet, metricsToken, promtool: installation.promtool });
        return { findings: [...findings, ...traffic.problems()], remark };
      } finally {
        for (let step = steps.pop(); step; step = steps.pop()) await step().catch(() => undefined);
      }
    },
  };
}

async function startFleet({ root, folder, metricsToken, cleanUp, signal }: FleetOptions): Promise<BenchFleet> {
  const installation = await locateSwift({ cacheDir: path.join(root, '.cache', 'object-storage') });
  if (installation === null) throw new Error('there is no OpenStack Swift here and none could be fetched');
  const swift = await startSwift({ installation, dataDir: path.join(folder, 'swift'), signal });
  cleanUp(async () => await swift.stop());
  const { endpoint, region, accessKeyId, secretAccessKey } = swift;
  const client = new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  await client.send(new CreateBucketCommand({ Bucket: bucket })).finally(() => client.destroy());
  const fleet = await startBenchFleet({
    folder,
    settings: {
      METRICS_TOKEN: metricsToken,
      STICKER_OBJECT_STORAGE_BUCKET: bucket,
      STICKER_OBJECT_STORAGE_ENDPOINT: endpoint,
      STICKER_OBJECT_STORAGE_REGION: region,
      STICKER_OBJECT_STORAGE_ACCESS_KEY_ID: accessKeyId,
      STICKER_OBJECT_STORAGE_SECRET_ACCESS_KEY: secretAccessKey,
      STICKER_WEBHOOK_ALLOW_PRIVATE: 'true',
      STICKER_RATE_LIMIT_READS_PER_MINUTE: '0',
    },
    cleanUp,
    signal,
  });
  await Promise.all(canaries.map(async (worker) => await fleet.startBeside(worker, { WORKER_RELEASE: 'canary' })));
  return fleet;
}

/** Somebody uploads, reads, likes and asks for what is not there, all the time; somebody else is told of it. */
async function startTraffic(
  fleet: BenchFleet,
  cleanUp: (step: () => Promise<void>) => void,
): Promise<{ problems: () => string[] }> {
  const receiver = createServer((_request, response) => response.end()).listen(0, '127.0.0.1');
  cleanUp(async () => {
    receiver.close();
    receiver.closeAllConnections();
    await once(receiver, 'close');
  });
  await once(receiver, 'listening');
  const admin = createCatalogueClient(fleet.apiUrl, fleet.adminToken);
  const created = await admin.call('POST', '/api/admin/api-keys', {
    body: { owner_id: 'watched', scopes: ['catalog:write'] },
  });
  const own = createCatalogueClient(fleet.apiUrl, created.json<{ data: { key: string } }>().data.key);
  const anybody = createCatalogueClient(fleet.apiUrl);
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
  const subscribed = await own.call('POST', '/api/webhooks', { body: { url } });
  if (subscribed.status !== 201) throw new Error(`the webhook was answered ${subscribed.status}`);
  await admin.call('PUT', '/api/admin/feature-flags/enable_object_storage_delivery', {
    body: { is_enabled: true, rollout_percent: 100, reason: 'to be watched' },
  });
  const asked = await admin.call('POST', '/api/admin/rollout/requests', {
    body: { action: 'auto', plan: 'worker-canary', reason: 'to be watched' },
  });
  if (asked.status !== 202) throw new Error(`the rollout was answered ${asked.status}: ${asked.bytes.toString()}`);

  let isOver = false;
  async function work(): Promise<void> {
    for (let round = 0; !isOver; round += 1) {
      const packKey = await own.createPack({ name: `Watched ${round}`, tags: ['cat'] });
      const stickers = Array.from({ length: stickersOfPack }, (_, index) => ({
        bytes: drawPng(1_000 + round * stickersOfPack + index),
        emojis: ['🙂'],
      }));
      await own.addStickers(packKey, stickers);
      await own.publish(packKey);
      await own.addSticker(packKey, { bytes: Buffer.from('no picture') });
      const detail = await own.pack(packKey);
      for (let turn = 0; turn < 5 && !isOver; turn += 1) {
        await anybody.get('/api/sticker-packs');
        await anybody.get('/api/sticker-packs?q=cat');
        await anybody.get('/stickers');
        await anybody.get('/api/marketplace/stats');
        await anybody.get(`/api/sticker-packs/${packKey}`);
        await anybody.get('/api/sticker-packs/there-is-none');
        for (const interaction of ['open', 'like'])
          await anybody.call('POST', `/api/sticker-packs/${packKey}/${interaction}`);
        for (const { sticker_id: id } of detail.stickers)
          await anybody.get(`/api/sticker-packs/${packKey}/stickers/${id}.webp`);
        await delay(200);
      }
    }
  }
  const working = work();
  const problems: string[] = [];
  working.catch((error: unknown) => problems.push(`the traffic ended: ${String(error)}`));
  cleanUp(async () => {
    isOver = true;
    await working;
  });
  return { problems: () => problems };
}

async function judge(
  monitoring: Monitoring,
  { fleet, metricsToken, promtool }: { fleet: BenchFleet; metricsToken: string; promtool: string },
): Promise<{ findings: string[]; remark: string }> {
  const findings: string[] = [];
  const deadline = performance.now() + patienceMs;
  const patience = (): { timeoutMs: number; intervalMs: number } => ({
    timeoutMs: Math.max(0, deadline - performance.now()),
    intervalMs,
  });
  const expected = fleet.processes().length + canaries.length;
  const up = async (): Promise<boolean> => (await monitoring.targets()).filter(({ isUp }) => isUp).length === expected;
  await waitFor(up, { ...patience(), description: `${expected} processes to be scraped` }).catch(async () => {
    const targets = await monitoring.targets();
    findings.push(...targets.map(({ process, isUp, lastError }) => `${process}: ${isUp ? 'scraped' : lastError}`));
    findings.push(`${targets.length} targets, of ${expected} processes`);
  });

  // The leader may have looked before the others had started, and at this time scale ApiDown waits for no second look.
  const kinds = fleet.processes().length;
  const counted = async (): Promise<boolean> =>
    (await monitoring.query('max by (process) (omnizap_processes) > 0')).length === kinds;
  await waitFor(counted, { ...patience(), description: 'every kind of process to be counted' }).catch(
    (error: unknown) => findings.push(String(error)),
  );

  const ruleCount = recordingGroups.flatMap(({ rules }) => rules).length + alerts.length;
  const evaluated = async (): Promise<boolean> =>
    (await monitoring.rules()).filter(({ health }) => health !== 'unknown').length === ruleCount;
  await waitFor(evaluated, { ...patience(), description: 'every rule to be evaluated' }).catch((error: unknown) =>
    findings.push(String(error)),
  );
  for (const { name, health, lastError } of await monitoring.rules())
    if (health !== 'ok') findings.push(`the rule ${name} is ${health}: ${lastError}`);

  const queries = panelQueries({ rateInterval });
  const empty = new Set(queries);
  const lookAgain = async (): Promise<boolean> => {
    for (const query of empty) if ((await monitoring.query(query.expr)).length > 0) empty.delete(query);
    return [...empty].every(isExcused);
  };
  await waitFor(lookAgain, { ...patience(), description: 'series for every panel' }).catch(() => undefined);
  for (const query of empty)
    if (!isExcused(query)) findings.push(`${query.dashboard}, ${query.panel}: no series for ${query.expr}`);

  for (const { process, instance } of await monitoring.targets()) {
    const { status } = await ask(`http://${instance}/metrics`);
    if (status === 200) findings.push(`${process}: its metrics are for everybody, whatever METRICS_TOKEN is`);
    const { bytes } = await ask(`http://${instance}/metrics`, { key: metricsToken });
    findings.push(...(await complaintsOf(promtool, instance, bytes)).map((complaint) => `${process}: ${complaint}`));
  }

  const silentUntil = performance.now() + silenceMs;
  const fired = new Set<string>();
  await waitFor(
    async () => {
      for (const name of (await monitoring.alerts()).loud) fired.add(name);
      return performance.now() > silentUntil;
    },
    { timeoutMs: silenceMs + 30_000, intervalMs: 500, description: 'a while to pass' },
  );
  const used = new Set(queries.map(({ emptyWhile }) => emptyWhile));
  for (const reason of excused)
    if (!used.has(reason)) findings.push(`no query is excused by "${reason}" any more: take it off the list`);
  for (const name of fired) findings.push(`${name} fired although nothing was wrong`);
  return {
    findings,
    remark: `${expected} processes, ${ruleCount} rules, ${queries.length} queries, of which ${empty.size} found nothing and may`,
  };
}

const isExcused = ({ emptyWhile }: PanelQuery): boolean => emptyWhile !== undefined && excused.has(emptyWhile);

/** promtool's, but for the unit of the contract's names in milliseconds. @throws Error when it could not judge */
async function complaintsOf(promtool: string, instance: string, metrics: Buffer): Promise<string[]> {
  const said = await new Promise<string>((resolve, reject) => {
    const child = execFile(promtool, ['check', 'metrics'], (error, stdout, stderr) => {
      const isJudged = error === null || error.code === promtoolComplains;
      if (isJudged) resolve(stdout + stderr);
      else reject(new Error(`promtool cannot read the metrics of ${instance}: ${stderr || error.message}`));
    });
    child.stdin?.end(metrics);
  });
  return said.split('\n').filter((line) => line !== '' && !isListed(line));
}

function isListed(complaint: string): boolean {
  const name = /^(\w+_ms) metric names should not contain abbreviated units$/.exec(complaint)?.[1];
  return name !== undefined && metricsOfContract.has(name);
}
