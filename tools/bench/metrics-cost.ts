/**
 * What metrics cost: the snapshot's list from an API process that keeps them against one that keeps none, in turns, and the answers
 * at the leader's /metrics while a million tasks wait.
 */
import { createCatalogueDepth, taskSettings } from '@omnizap/catalog';
import { createEmojiClassifier } from '@omnizap/imaging';
import { connectDatabase, createLogger } from '@omnizap/runtime';
import { createTaskQueues } from '@omnizap/tasks';
import { waitFor } from '@omnizap/testkit';
import { z } from 'zod';
import { drawBenchStickers } from './bench-drawings.ts';
import type { BenchFleet } from './bench-fleet.ts';
import type { Bench, BenchContext, Measurement } from './bench-types.ts';
import { runClosedLoop } from './closed-loop.ts';
import { createOwnerSession } from './owner-session.ts';
import { readCpuSeconds } from './process-cpu.ts';
import { median, percentile } from './statistics.ts';

const listPath = '/api/sticker-packs?limit=24';
const packCount = 30;
const stickersInPack = 1;
const connections = 32;
/** Short: what else the machine does changes from one second to the next, and is to meet both. */
const seconds = 1;
/** Each of the two goes first as often as the other. */
const turns = Array.from({ length: 6 }, () => ['on', 'off', 'off', 'on'] as const).flat();
const leastShare = 0.95;
const quietRanking = { STICKER_SCORE_SNAPSHOT_REFRESH_INTERVAL_MS: '86400000' };

const queuedTasks = 1_000_000;
const scrapes = 300;
const mostMs = 50;
const fillTimeoutMs = 120_000;

const listSchema = z.object({ data: z.array(z.unknown()) });

export const metricsBench: Bench = {
  name: 'metrics',
  summary: `Lists from an API process with metrics and from one without, in turns; /metrics of the leader at ${queuedTasks.toLocaleString('en-US')} tasks.`,
  rounds: 3,
  async prepare(context) {
    const fleet = await context.startFleet(quietRanking);
    const session = await createOwnerSession(fleet);
    context.say(`drawing ${packCount * stickersInPack} stickers`);
    const stickers = await drawBenchStickers('webp', packCount * stickersInPack, 1);
    for (const packKey of await session.addAll(stickers, stickersInPack)) await session.publish(packKey);
    await fleet.whenQuiet();
    const preload = new URL('without-metrics.ts', import.meta.url);
    const without = await fleet.startBeside('api', { NODE_OPTIONS: `--import ${preload.href}` });
    const own = fleet.processes().find(({ name }) => name === 'api')?.pid ?? NaN;
    const sides = { on: { url: fleet.apiUrl, pid: own }, off: { url: without.url, pid: without.pid } };
    await waitFor(
      async () => {
        const sizes = await Promise.all(
          Object.values(sides).map(
            async ({ url }) => listSchema.parse(await (await fetch(url + listPath)).json()).data.length,
          ),
        );
        return sizes.every((size) => size === 24);
      },
      { timeoutMs: 60_000, description: 'the same list from both' },
    );
    const measured = await (await fetch(`${without.url}/metrics`)).text();
    if (/^omnizap_http_requests_total\{/m.test(measured)) throw new Error('The process without metrics keeps some');
    const depth = await prepareDepth(fleet, context);

    return async () => [...(await compare(sides, context.signal)), ...(await depth())];
  },
};

type Side = { url: string; pid: number };

async function compare(sides: { on: Side; off: Side }, signal: AbortSignal): Promise<Measurement[]> {
  const rates: Record<'on' | 'off', number[]> = { on: [], off: [] };
  const cpuMs: Record<'on' | 'off', number[]> = { on: [], off: [] };
  for (const turn of turns) {
    const { url, pid } = sides[turn];
    const before = await readCpuSeconds([pid]);
    const rate = await runClosedLoop({
      ...{ baseUrl: url, path: listPath, headers: {}, connections, seconds, expectedStatus: 200, signal },
    });
    rates[turn].push(rate);
    cpuMs[turn].push((((await readCpuSeconds([pid])) - before) * 1_000) / (rate * seconds));
  }
  const [on, off, cpuOn, cpuOff] = [rates.on, rates.off, cpuMs.on, cpuMs.off].map(median) as [
    ...[number, number, number, number],
  ];
  return [
    { name: 'lists, with metrics', unit: '/s', value: on },
    { name: 'lists, without', unit: '/s', value: off },
    { name: 'with against without', unit: 'x', value: on / off, target: { atLeast: leastShare } },
    { name: 'processor time of an answer, with metrics', unit: 'ms', value: cpuOn },
    { name: 'processor time of an answer, without', unit: 'ms', value: cpuOff },
    { name: 'processor time, without against with', unit: 'x', value: cpuOff / cpuOn, target: { atLeast: leastShare } },
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
  return Number(/^omnizap_queue_depth\{queue="sticker_worker_tasks_pending"\} (\S+)$/m.exec(text)?.[1] ?? 0);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}
