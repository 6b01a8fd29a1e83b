/**
 * How fast the classification worker works off a backlog. The stickers are uploaded while it is stopped; the clock runs from its
 * ready message to the last row. The rest of the fleet runs as always. Beside it, as the reference: the same files through bare
 * sharp, as many at once as the worker takes, nothing stored.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { waitFor } from '@omnizap/testkit';
import { drawBenchStickers, type DrawingKind } from './bench-drawings.ts';
import type { BenchFleet } from './bench-fleet.ts';
import type { Bench, Measurement } from './bench-types.ts';
import { createOwnerSession, type BenchSticker } from './owner-session.ts';
import { decodeBare, encodeBare } from './reference-imaging.ts';

const worker = 'worker-classification';
/** STICKER_CLASSIFICATION_CONCURRENCY's default. */
const concurrency = 4;
const pollMs = 25;
const timeoutMs = 300_000;

type Backlog = {
  kind: DrawingKind;
  label: string;
  count: number;
  classifiedPerMinute?: number;
  readyPerMinute?: number;
  reference: { name: string; run: (files: string[], concurrency: number) => Promise<void> };
};

const bareDecode = { name: 'bare sharp decode', run: decodeBare };
const backlogs: Backlog[] = [
  { kind: 'webp', label: 'static WebP', count: 600, classifiedPerMinute: 3_000, reference: bareDecode },
  {
    kind: 'png',
    label: 'PNG',
    count: 200,
    readyPerMinute: 900,
    reference: { name: 'bare sharp decode and one WebP encode', run: encodeBare },
  },
  { kind: 'animated-webp', label: 'animated WebP (12 to 20 frames)', count: 40, reference: bareDecode },
];

export const classificationBench: Bench = {
  name: 'classification',
  summary: 'A backlog of stickers: classified per minute and ready per minute, against bare sharp on the same files.',
  rounds: 3,
  async prepare({ folder, startFleet, say, signal }) {
    const files = new Map<DrawingKind, { stickers: BenchSticker[]; paths: string[] }>();
    for (const { kind, label, count } of backlogs) {
      signal.throwIfAborted();
      say(`drawing ${count} ${label}`);
      const stickers = await drawBenchStickers(kind, count, 1_000);
      files.set(kind, { stickers, paths: await writeAll(path.join(folder, kind), stickers) });
    }
    const fleet = await startFleet();
    return async () => {
      const measurements: Measurement[] = [];
      for (const backlog of backlogs) {
        signal.throwIfAborted();
        const { stickers, paths } = files.get(backlog.kind) ?? { stickers: [], paths: [] };
        await fleet.whenQuiet();
        const referencePerMinute = perMinute(
          stickers.length,
          await timeOf(() => backlog.reference.run(paths, concurrency)),
        );
        measurements.push(...(await measureBacklog(fleet, backlog, stickers, referencePerMinute)));
      }
      return measurements;
    };
  },
};

async function measureBacklog(
  fleet: BenchFleet,
  { label, count, classifiedPerMinute, readyPerMinute, reference }: Backlog,
  stickers: BenchSticker[],
  referencePerMinute: number,
): Promise<Measurement[]> {
  await fleet.stop(worker);
  const session = await createOwnerSession(fleet);
  const before = await readCounts(fleet);
  await session.addAll(stickers);
  await waitFor(async () => (await waitingTasks(fleet)) === count, {
    timeoutMs,
    description: `${count} tasks of the uploads to wait in the queue`,
  });
  await fleet.start(worker);
  const startedAt = performance.now();
  const cpuBefore = await fleet.cpuSeconds();
  const workerBefore = await fleet.cpuSeconds([worker]);
  const reached = async (column: 'classified' | 'ready'): Promise<number> => {
    await waitFor(
      async () => {
        const counts = await readCounts(fleet);
        if (counts.rejected > before.rejected) throw new Error('a sticker was rejected');
        return counts[column] - before[column] >= count;
      },
      { timeoutMs, intervalMs: pollMs, description: `${count} ${label} to be ${column}` },
    );
    return perMinute(count, performance.now() - startedAt);
  };
  const classified = await reached('classified');
  const workerAfter = await fleet.cpuSeconds([worker]);
  const ready = await reached('ready');
  const cpuAfter = await fleet.cpuSeconds();
  const perSticker = (seconds: number): number => (seconds * 1_000) / count;
  const withTarget = (measurement: Measurement, atLeast: number | undefined): Measurement =>
    atLeast === undefined ? measurement : { ...measurement, target: { atLeast } };
  const compared = readyPerMinute === undefined ? classified : ready;
  return [
    withTarget({ name: `${label}: classified`, unit: '/min', value: classified }, classifiedPerMinute),
    withTarget(
      { name: `${label}: ready (classified and derivatives made)`, unit: '/min', value: ready },
      readyPerMinute,
    ),
    {
      name: `${label}: processor time of the worker until all are classified`,
      unit: 'ms/sticker',
      value: perSticker(workerAfter.processes - workerBefore.processes),
    },
    {
      name: `${label}: processor time of the fleet until all are ready`,
      unit: 'ms/sticker',
      value: perSticker(cpuAfter.processes - cpuBefore.processes),
    },
    {
      name: `${label}: processor time of PostgreSQL until all are ready`,
      unit: 'ms/sticker',
      value: perSticker(cpuAfter.database - cpuBefore.database),
    },
    { name: `${label}: reference, ${reference.name}`, unit: '/min', value: referencePerMinute },
    {
      name: `${label}: ${readyPerMinute === undefined ? 'classified' : 'ready'} against the reference`,
      unit: 'x',
      value: compared / referencePerMinute,
    },
  ];
}

async function readCounts(fleet: BenchFleet): Promise<{ classified: number; ready: number; rejected: number }> {
  const [row] = await fleet.query<{ classified: number; ready: number; rejected: number }>(
    `SELECT (SELECT COUNT(*) FROM sticker_asset_classification)::int AS classified,
            COUNT(*) FILTER (WHERE status = 'ready')::int AS ready,
            COUNT(*) FILTER (WHERE status = 'rejected')::int AS rejected
       FROM sticker_asset`,
  );
  return row ?? { classified: 0, ready: 0, rejected: 0 };
}

async function waitingTasks(fleet: BenchFleet): Promise<number> {
  const [row] = await fleet.query<{ count: number }>(
    `SELECT COUNT(*)::int AS count FROM pgboss.job WHERE name = 'classification.stable' AND state = 'created'`,
  );
  return row?.count ?? 0;
}

async function writeAll(folder: string, stickers: BenchSticker[]): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  return await Promise.all(
    stickers.map(async ({ bytes }, index) => {
      const file = path.join(folder, String(index));
      await writeFile(file, bytes);
      return file;
    }),
  );
}

const perMinute = (count: number, milliseconds: number): number => (count * 60_000) / milliseconds;

async function timeOf(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}
