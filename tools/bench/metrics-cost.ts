/**
 * What metrics cost: the snapshot's list from API processes that keep them against such that keep none, in turns, and the answers at
 * the leader's /metrics while a million tasks wait. There are two of each: how far two that are the same differ says what a
 * difference between the kinds can mean.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { createCatalogueDepth, taskSettings } from '@omnizap/catalog';
import { createEmojiClassifier } from '@omnizap/imaging';
import { parseMetrics } from '@omnizap/rollout';
import { connectDatabase, createLogger } from '@omnizap/runtime';
import { createTaskQueues } from '@omnizap/tasks';
import { waitFor } from '@omnizap/testkit';
import { z } from 'zod';
import { balancedOrders } from './balanced-orders.ts';
import { drawBenchStickers } from './bench-drawings.ts';
import type { BenchFleet } from './bench-fleet.ts';
import type { Bench, BenchContext, Measurement } from './bench-types.ts';
import { runClosedLoop } from './closed-loop.ts';
import { createOwnerSession } from './owner-session.ts';
import { readCpuSeconds } from './process-cpu.ts';
import { median, percentile } from './statistics.ts';

const listSize = 24;
const listPath = `/api/sticker-packs?limit=${listSize}`;
const packCount = 30;
const stickersInPack = 1;
const connections = 32;
/** Short: what else the machine does changes from one second to the next, and is to meet both. */
const seconds = 1;
/** Times that the balanced orders are gone through. */
const passes = 2;
const warmUpSeconds = 3;
const leastShare = 0.95;
const quietRanking = { STICKER_SCORE_SNAPSHOT_REFRESH_INTERVAL_MS: '86400000' };

const queuedTasks = 1_000_000;
const scrapes = 300;
/** Over four refreshes of the figures, each of which takes its time from the scrapes that it meets. */
const scrapePauseMs = 200;
const mostMs = 50;
const fillTimeoutMs = 120_000;

const listSchema = z.object({ data: z.array(z.unknown()) });

export const metricsBench: Bench = {
  name: 'metrics',
  summary: `Lists from API processes with metrics and from such without, in turns; /metrics of the leader at ${queuedTasks.toLocaleString('en-US')} tasks.`,
  rounds: 3,
  async prepare(context) {
    const fleet = await context.startFleet(quietRanking);
    const session = await createOwnerSession(fleet);
    context.say(`drawing ${packCount * stickersInPack} stickers`);
    const stickers = await drawBenchStickers('webp', packCount * stickersInPack, 1);
    for (const packKey of await session.addAll(stickers, stickersInPack)) await session.publish(packKey);
    await fleet.whenQuiet();
    const preload = new URL('without-metrics.ts', import.meta.url);
    // All new, and warmed alike: the fleet's own has taken the uploads.
    const sides: Side[] = [];
    for (const [name, isMeasured] of [
      ['with', true],
      ['without', false],
      ['with, once more', true],
      ['without, once more', false],
    ] as const) {
      const { url, pid } = await fleet.startBeside(
        'api',
        isMeasured ? {} : { NODE_OPTIONS: `--import ${preload.href}` },
      );
      sides.push({ name, isMeasured, url, pid });
    }
    for (const side of sides) {
      await waitFor(
        async () => listSchema.parse(await (await fetch(side.url + listPath)).json()).data.length === listSize,
        { timeoutMs: 60_000, description: 'the same list from all' },
      );
      await load(side, warmUpSeconds, context.signal);
      const kept = await (await fetch(`${side.url}/metrics`)).text();
      for (const metric of ['omnizap_http_requests_total', 'nodejs_eventloop_lag_seconds'])
        if (new RegExp(`^${metric}[ {]`, 'm').test(kept) !== side.isMeasured)
          throw new Error(`The process ${side.name} metrics keeps ${side.isMeasured ? 'no' : 'a'} ${metric}`);
    }
    const depth = await prepareDepth(fleet, context);

    return async () => [...(await compare(sides, context.signal)), ...(await depth())];
  },
};

type Side = { name: string; isMeasured: boolean; url: string; pid: number };
type Turn = { rate: number; cpuMs: number };

async function load({ url }: Side, forSeconds: number, signal: AbortSignal): Promise<number> {
  return await runClosedLoop({
    ...{ baseUrl: url, path: listPath, headers: {}, connections, seconds: forSeconds, expectedStatus: 200, signal },
  });
}

async function compare(sides: Side[], signal: AbortSignal): Promise<Measurement[]> {
  const taken = new Map<Side, Turn[]>(sides.map((side) => [side, []]));
  const orders = Array.from({ length: passes }, () => balancedOrders(sides.length)).flat();
  for (const side of orders.flat().map((index) => sides[index] as Side)) {
    const before = await readCpuSeconds([side.pid]);
    const rate = await load(side, seconds, signal);
    const cpuMs = (((await readCpuSeconds([side.pid])) - before) * 1_000) / (rate * seconds);
    taken.get(side)?.push({ rate, cpuMs });
  }
  const of = (isIn: (side: Side) => boolean, figure: keyof Turn): number =>
    median(sides.filter(isIn).flatMap((side) => (taken.get(side) ?? []).map((turn) => turn[figure])));
  const kind = (isMeasured: boolean, figure: keyof Turn): number =>
    of((side) => side.isMeasured === isMeasured, figure);
  const one = (name: string, figure: keyof Turn): number => of((side) => side.name === name, figure);
  const [on, off, cpuOn, cpuOff] = [kind(true, 'rate'), kind(false, 'rate'), kind(true, 'cpuMs'), kind(false, 'cpuMs')];
  return [
    { name: 'lists, with metrics', unit: '/s', value: on },
    { name: 'lists, without', unit: '/s', value: off },
    { name: 'with against without', unit: 'x', value: on / off, target: { atLeast: leastShare } },
    { name: 'processor time of an answer, with metrics', unit: 'ms', value: cpuOn },
    { name: 'processor time of an answer, without', unit: 'ms', value: cpuOff },
    { name: 'processor time, without against with', unit: 'x', value: cpuOff / cpuOn, target: { atLeast: leastShare } },
    ...['with', 'without'].flatMap((name): Measurement[] => [
      {
        name: `${name}, once more against the first`,
        unit: 'x',
        value: one(`${name}, once more`, 'rate') / one(name, 'rate'),
      },
      {
        name: `processor time, ${name}, once more against the first`,
        unit: 'x',
        value: one(`${name}, once more`, 'cpuMs') / one(name, 'cpuMs'),
      },
    ]),
  ];
}

/** A million tasks for tomorrow: nobody takes them, everybody counts them. */
async function prepareDepth(
  fleet: BenchFleet,
  { say, cleanUp, signal }: BenchContext,
): Promise<() => Promise<Measurement[]>> {
  say(`queueing ${queuedTasks.toLocaleString('en-US')} tasks`);
  for (let from = 0; from < queuedTasks; from += 100_000) {
    signal.throwIfAborted();
    await fleet.query(
      `INSERT INTO pgboss.job (name, data, singleton_key, start_after, policy)
       SELECT 'rebuild.stable', jsonb_build_object('subject_id', 'bench-' || n), 'bench-' || n, now() + interval '1 day', 'short'
         FROM generate_series($1::int, $2::int) n`,
      [from, from + 99_999],
    );
  }
  const log = createLogger({ level: 'silent', format: 'json', process: 'bench' });
  const queues = createTaskQueues(taskSettings, { queueUrl: fleet.databaseUrl, log });
  await queues.start();
  cleanUp(queues.stop);
  const database = connectDatabase(fleet.databaseUrl, { poolMax: 1 });
  cleanUp(database.close);
  const readCatalogue = createCatalogueDepth(database, createEmojiClassifier());
  const [target] = z
    .array(z.object({ targets: z.array(z.string()), labels: z.object({ process: z.string() }) }))
    .parse(await (await fetch(`${fleet.apiUrl}/api/ops/targets`)).json())
    .filter(({ labels }) => labels.process === 'maintenance')
    .flatMap(({ targets }) => targets);
  const url = `http://${target}/metrics`;
  await waitFor(async () => depthIn(await (await fetch(url)).text()) >= queuedTasks, {
    timeoutMs: fillTimeoutMs,
    intervalMs: 500,
    description: 'the leader to have counted all tasks',
  });

  return async () => {
    const tookMs: number[] = [];
    for (let scrape = 0; scrape < scrapes; scrape += 1) {
      signal.throwIfAborted();
      tookMs.push(await timed(async () => await (await fetch(url)).text()));
      await delay(scrapePauseMs, undefined, { signal });
    }
    return [
      { name: `/metrics at ${queuedTasks} tasks, p50`, unit: 'ms', value: percentile(tookMs, 50) },
      {
        name: `/metrics at ${queuedTasks} tasks, p99`,
        unit: 'ms',
        value: percentile(tookMs, 99),
        target: { atMost: mostMs },
      },
      { name: 'the leader’s count of the tasks', unit: 'ms', value: await timed(queues.counts) },
      { name: 'the leader’s count of the catalogue', unit: 'ms', value: await timed(readCatalogue) },
    ];
  };
}

function depthIn(text: string): number {
  const depths = parseMetrics(text, (name) => name === 'omnizap_queue_depth');
  return depths.find(({ labels }) => labels.queue === 'sticker_worker_tasks_pending')?.value ?? 0;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}
