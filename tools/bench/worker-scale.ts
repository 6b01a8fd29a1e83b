/**
 * Whether a second classification process is worth it, and what readers notice: a backlog worked by one process and by two, while
 * readers come at a fixed rate. Work and reads are measured over the same seconds, in the middle of the backlog, so that neither the
 * start of a process nor the last tasks count. Once with the default, several stickers in hand per process, which is more than one
 * core's work already, and once with one sticker in hand, where what a process adds shows on two cores, too.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parseMetrics } from '@omnizap/rollout';
import { waitFor } from '@omnizap/testkit';
import { backlogFloor, classificationFloor, loadTestFloor } from '../../observability/slo.ts';
import { createSeededRandom } from '../simulation/seeded-random.ts';
import { backlogSize, startWithReaders, waitingTasks } from './backlog.ts';
import type { BenchFleet } from './bench-fleet.ts';
import type { Bench, Measurement } from './bench-types.ts';
import { runOpenLoop } from './open-loop.ts';
import { controlQueues } from './readers.ts';
import { percentile } from './statistics.ts';

const worker = 'worker-classification';
const queue = 'classification.stable';
const cycles = 'omnizap_sticker_classification_cycle_duration_ms';
const readsPerSecond = 50;
const windowSeconds = 12;
/** So many are done before the window opens. */
const warmTasks = backlogSize / 16;
/** A pause is known everywhere within 2 s; what runs is finished by then. */
const switchMs = 4_000;
const pollMs = 100;
const timeoutMs = 600_000;
/** With the second process. */
const mostSlowerReads = 1.1;

const settings = [
  { label: '', inHand: null },
  { label: 'one in hand, ', inHand: '1' },
] as const;
type Setting = (typeof settings)[number];

type Worked = { perMinute: number; meanCycleMs: number; recoverySeconds: number; readsP95: number };

export const workerScaleBench: Bench = {
  name: 'workers',
  summary: `A backlog of ${backlogSize} classifications worked by one process and by two, by default and with one in hand each, with ${readsPerSecond} reads per second meanwhile.`,
  /** Even: one process goes first as often as two. */
  rounds: 4,
  isOnRequest: true,
  async prepare({ startFleet, say, signal }) {
    const { fleet, paths, uploadBacklog } = await startWithReaders({ startFleet, say });
    // Each backlog has processes of its own, all new.
    await fleet.stop(worker);

    async function work({ label, inHand }: Setting, processes: number, round: number): Promise<Worked> {
      await controlQueues(fleet, 'pause');
      const own: Record<string, string> = inHand === null ? {} : { STICKER_CLASSIFICATION_CONCURRENCY: inHand };
      // There before the work is: what nobody serves would wait in the API's lane.
      const beside = await Promise.all(
        Array.from({ length: processes }, async () => await fleet.startBeside(worker, own)),
      );
      await delay(switchMs, undefined, { signal });
      say(`${label}${processes} at work: uploading ${backlogSize} stickers that wait`);
      await uploadBacklog();
      await waitFor(async () => (await waitingTasks(fleet, queue)) >= backlogSize, {
        timeoutMs,
        description: `${backlogSize} classifications to wait`,
      });
      const cyclesBefore = await readCycles(fleet);
      const resumedAt = performance.now();
      await controlQueues(fleet, 'resume');
      const untilLeft = async (left: number): Promise<void> => {
        await waitFor(async () => (await waitingTasks(fleet, queue)) <= left, {
          timeoutMs,
          intervalMs: pollMs,
          description: `no more than ${left} classifications to wait`,
        });
      };
      await untilLeft(backlogSize - warmTasks);
      const [before, startedAt] = [await classified(fleet), performance.now()];
      const load = { baseUrl: fleet.apiUrl, paths, perSecond: readsPerSecond, seconds: windowSeconds, signal };
      const reads = await runOpenLoop({ ...load, random: createSeededRandom(round) });
      const [after, endedAt] = [await classified(fleet), performance.now()];
      if ((await waitingTasks(fleet, queue)) === 0)
        throw new Error('The backlog was done before the reads were: it is too small');
      await untilLeft(0);
      const recoverySeconds = (performance.now() - resumedAt) / 1_000;
      const cyclesAfter = await readCycles(fleet);
      await fleet.whenQuiet();
      await Promise.all(beside.map(async (process) => await process.stop()));
      return {
        perMinute: ((after - before) * 60_000) / (endedAt - startedAt),
        meanCycleMs: (cyclesAfter.sum - cyclesBefore.sum) / Math.max(1, cyclesAfter.count - cyclesBefore.count),
        recoverySeconds,
        readsP95: percentile(reads, 95),
      };
    }
    return async (round) => {
      const measured: Measurement[] = [];
      for (const setting of settings) {
        const taken = new Map<number, Worked>();
        for (const processes of round % 2 === 1 ? [1, 2] : [2, 1])
          taken.set(processes, await work(setting, processes, round));
        measured.push(...describe(setting, taken.get(1) as Worked, taken.get(2) as Worked));
      }
      return measured;
    };
  },
};

function describe({ label, inHand }: Setting, one: Worked, two: Worked): Measurement[] {
  const isDefault = inHand === null;
  const of = (name: string, { perMinute, meanCycleMs, recoverySeconds, readsP95 }: Worked): Measurement[] => [
    {
      name: `${name}: classified`,
      unit: '/min',
      value: perMinute,
      ...(isDefault ? { target: { atLeast: classificationFloor.assetsPerMinute } } : {}),
    },
    {
      name: `${name}: mean cycle`,
      unit: 'ms',
      value: meanCycleMs,
      ...(isDefault ? { target: { atMost: classificationFloor.meanCycleMs } } : {}),
    },
    {
      name: `${name}: the backlog is worked off after`,
      unit: 's',
      value: recoverySeconds,
      ...(isDefault ? { target: { atMost: backlogFloor.recoverySeconds } } : {}),
    },
    { name: `${name}: reads, p95`, unit: 'ms', value: readsP95 },
  ];
  return [
    ...of(`${label}one process`, one),
    ...of(`${label}two processes`, two),
    {
      name: `${label}two against one: classified`,
      unit: 'x',
      value: two.perMinute / one.perMinute,
      target: { atLeast: loadTestFloor.minScaleUpOfTwoWorkers },
    },
    {
      name: `${label}two against one: reads, p95`,
      unit: 'x',
      value: two.readsP95 / one.readsP95,
      target: { atMost: mostSlowerReads },
    },
  ];
}

async function classified(fleet: BenchFleet): Promise<number> {
  const [row] = await fleet.query<{ count: number }>('SELECT COUNT(*)::int AS count FROM sticker_asset_classification');
  return row?.count ?? 0;
}

/** Cycles that found work, of all classification processes. One that has not worked yet has none. */
async function readCycles(fleet: BenchFleet): Promise<{ sum: number; count: number }> {
  const answer = await fetch(new URL('/api/ops/targets', fleet.apiUrl));
  const targets = (await answer.json()) as { targets: string[]; labels: { process: string } }[];
  const total = { sum: 0, count: 0 };
  for (const host of targets.filter(({ labels }) => labels.process === worker).flatMap((one) => one.targets)) {
    const text = await (await fetch(`http://${host}/metrics`)).text();
    for (const { name, labels, value } of parseMetrics(text, (series) => series.startsWith(cycles)))
      if (labels.status === 'ok' || labels.status === 'partial')
        for (const part of ['sum', 'count'] as const) if (name === `${cycles}_${part}`) total[part] += value;
  }
  return total;
}
