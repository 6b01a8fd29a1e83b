/**
 * What tracing costs reads: API processes of one fleet, without tracing, with its default share and with every trace kept, asked for
 * the same list in turn. A second one without tracing says how far two that are the same differ on this machine. Their sink is a process on this machine, and takes its part of the processors.
 */
import { fileURLToPath } from 'node:url';
import { spawnProcess, waitFor } from '@omnizap/testkit';
import { z } from 'zod';
import { balancedOrders } from './balanced-orders.ts';
import { drawBenchStickers } from './bench-drawings.ts';
import type { Bench, BenchContext, Measurement } from './bench-types.ts';
import { runClosedLoop } from './closed-loop.ts';
import { createOwnerSession } from './owner-session.ts';
import { readCpuSeconds } from './process-cpu.ts';
import { median } from './statistics.ts';

const packCount = 24;
const listPath = `/api/sticker-packs?limit=${packCount}`;
const connections = 32;
const seconds = 2;
/** Times that the balanced orders are gone through: traces still being sent meet each of the variants equally often. */
const passes = 2;
const warmUpSeconds = 3;
const quietRanking = { STICKER_SCORE_SNAPSHOT_REFRESH_INTERVAL_MS: '86400000' };
const listSchema = z.object({ data: z.array(z.object({ sticker_count: z.int() })) });
const largestOverhead = 0.03;

type Variant = { name: string; url: string; pid: number };
type Turn = { rate: number; cpuMs: number };

export const tracingBench: Bench = {
  name: 'tracing',
  summary: `The same list from API processes without tracing, with its default share and with every trace kept, in turn.`,
  rounds: 3,
  async prepare(context) {
    const { startFleet, say, signal } = context;
    const stickers = await drawBenchStickers('webp', packCount, 1);
    const fleet = await startFleet(quietRanking);
    const session = await createOwnerSession(fleet);
    for (const packKey of await session.addAll(stickers, 1)) await session.publish(packKey);
    await fleet.whenQuiet();
    const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: await startSink(context) };
    const all = { ...endpoint, OTEL_TRACES_SAMPLER: 'parentbased_always_on' };
    // All new: the fleet's own has taken the uploads.
    const variants: Variant[] = [];
    const settingsOf = { off: {}, 'off, once more': {}, 'default share': endpoint, 'every trace': all };
    for (const [name, settings] of Object.entries(settingsOf)) {
      const { url, pid } = await fleet.startBeside('api', settings);
      variants.push({ name, url, pid });
    }
    const load = (url: string, forSeconds: number): Promise<number> =>
      runClosedLoop({
        ...{ baseUrl: url, path: listPath, headers: {}, connections, seconds: forSeconds },
        ...{ expectedStatus: 200, signal },
      });
    for (const { url } of variants) {
      await waitFor(
        async () => {
          const { data } = listSchema.parse(await (await fetch(new URL(listPath, url))).json());
          return data.length === packCount;
        },
        { timeoutMs: 60_000, intervalMs: 250, description: 'a ranking of all packs' },
      );
      await load(url, warmUpSeconds);
    }

    return async () => {
      const orders = Array.from({ length: passes }, () => balancedOrders(variants.length)).flat();
      say(`${orders.length} turns`);
      const taken = new Map<string, Turn[]>(variants.map(({ name }) => [name, []]));
      for (const order of orders) {
        for (const index of order) {
          const variant = variants[index] as Variant;
          const before = await readCpuSeconds([variant.pid]);
          const rate = await load(variant.url, seconds);
          const cpuMs = (((await readCpuSeconds([variant.pid])) - before) * 1_000) / (rate * seconds);
          taken.get(variant.name)?.push({ rate, cpuMs });
        }
      }
      return variants.flatMap(({ name }) => measurementsOf(name, taken));
    };
  },
};

async function startSink({ cleanUp }: BenchContext): Promise<string> {
  const starting = spawnProcess(fileURLToPath(import.meta.resolve('./trace-sink.ts')));
  cleanUp(async () => {
    const sink = await starting.catch(() => null);
    await sink?.stop();
  });
  return (await starting).url;
}

/** Overheads by turn, each against the same turn without tracing. */
function measurementsOf(name: string, taken: Map<string, Turn[]>): Measurement[] {
  const [own, off] = [taken.get(name) ?? [], taken.get('off') ?? []];
  const shown: Measurement[] = [
    { name: `${name}: answers`, unit: '/s', value: median(own.map(({ rate }) => rate)) },
    { name: `${name}: processor time of the API`, unit: 'ms', value: median(own.map(({ cpuMs }) => cpuMs)) },
  ];
  if (name === 'off') return shown;
  const lost = median(own.map(({ rate }, turn) => 1 - rate / (off[turn]?.rate ?? NaN)));
  const more = median(own.map(({ cpuMs }, turn) => cpuMs / (off[turn]?.cpuMs ?? NaN) - 1));
  const target = name === 'default share' ? { target: { atMost: largestOverhead * 100 } } : {};
  return [
    ...shown,
    { name: `${name}: fewer answers than off`, unit: '%', value: lost * 100, ...target },
    { name: `${name}: more processor time than off`, unit: '%', value: more * 100 },
  ];
}
