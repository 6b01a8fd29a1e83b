/**
 * What readers notice when the API process works a backlog by itself: no dedicated workers, the flag off, hundreds of tasks
 * waiting. Readers come at a fixed rate. The reference is the same fleet a moment before, its task types paused.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '@omnizap/testkit';
import { backlogSize, startWithReaders, waitingTasks } from './backlog.ts';
import type { BenchFleet } from './bench-fleet.ts';
import type { Bench, Measurement } from './bench-types.ts';
import { runOpenLoop } from './open-loop.ts';
import { controlQueues } from './readers.ts';
import { createSeededRandom } from '../simulation/seeded-random.ts';
import { percentile } from './statistics.ts';

const workers = ['worker-classification', 'worker-curation', 'worker-rebuild'];
const perSecond = 100;
const seconds = 20;
/** A pause is known everywhere within 2 s; what runs is finished by then. */
const switchSeconds = 4;
const sloTargetMs = 750;
const smallestBacklog = 500;
const timeoutMs = 180_000;

export const inlinePollerBench: Bench = {
  name: 'inline-poller',
  summary: `${perSecond} reads per second on an API that works a backlog by itself, against the same one while it does not.`,
  rounds: 3,
  async prepare({ startFleet, say, signal }) {
    const { fleet, paths, uploadBacklog } = await startWithReaders({ startFleet, say });

    for (const worker of workers) await fleet.stop(worker);
    await fleet.query(
      `UPDATE feature_flag SET is_enabled = 0, rollout_percent = 0, updated_by = 'bench'
        WHERE flag_name = 'enable_worker_dedicated_processes'`,
    );
    await controlQueues(fleet, 'pause');
    say(`uploading ${backlogSize} stickers that nobody works`);
    await uploadBacklog();
    await waitFor(async () => (await waitingTasks(fleet, 'classification.inline')) >= backlogSize, {
      timeoutMs,
      description: 'the backlog to wait for the inline poller',
    });

    return async (round) => {
      const load = { baseUrl: fleet.apiUrl, paths, perSecond, seconds, signal };
      const withoutWork = await runOpenLoop({ ...load, random: createSeededRandom(round) });
      const before = await waitingTasks(fleet, '%.inline');
      await controlQueues(fleet, 'resume');
      await delay(switchSeconds * 1_000, undefined, { signal });
      const doneBefore = await finished(fleet);
      const cpuBefore = await fleet.cpuSeconds(['api']);
      const withWork = await runOpenLoop({ ...load, random: createSeededRandom(round) });
      const cpuAfter = await fleet.cpuSeconds(['api']);
      const done = (await finished(fleet)) - doneBefore;
      const left = await waitingTasks(fleet, '%.inline');
      if (left < smallestBacklog) throw new Error(`Only ${left} tasks are left: this is no backlog`);
      await controlQueues(fleet, 'pause');
      await delay(switchSeconds * 1_000, undefined, { signal });
      return describe(withoutWork, withWork, {
        tasksPerSecond: done / seconds,
        before,
        left,
        apiCores: (cpuAfter.processes - cpuBefore.processes) / seconds,
      });
    };
  },
};

function describe(
  withoutWork: number[],
  withWork: number[],
  work: { tasksPerSecond: number; before: number; left: number; apiCores: number },
): Measurement[] {
  const at = (percent: number): Measurement[] => [
    { name: `reads without a backlog being worked, p${percent}`, unit: 'ms', value: percentile(withoutWork, percent) },
    {
      name: `reads while the inline poller works, p${percent}`,
      unit: 'ms',
      value: percentile(withWork, percent),
      ...(percent === 95 ? { target: { atMost: sloTargetMs } } : {}),
    },
    {
      name: `p${percent}, working against not working`,
      unit: 'x',
      value: percentile(withWork, percent) / percentile(withoutWork, percent),
    },
  ];
  return [
    ...[50, 95, 99].flatMap(at),
    { name: 'tasks worked meanwhile', unit: '/s', value: work.tasksPerSecond },
    { name: 'tasks waiting before', unit: '', value: work.before },
    { name: 'tasks waiting after', unit: '', value: work.left },
    { name: 'cores that the API used while working', unit: 'cores', value: work.apiCores },
  ];
}

async function finished(fleet: BenchFleet): Promise<number> {
  const [row] = await fleet.query<{ count: number }>(
    `SELECT COUNT(*)::int AS count FROM pgboss.job WHERE name LIKE '%.inline' AND state = 'completed'`,
  );
  return row?.count ?? 0;
}
