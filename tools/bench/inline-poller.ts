/**
 * What readers notice when the API process works a backlog by itself: no dedicated workers, the flag off, hundreds of tasks
 * waiting. Readers come at a fixed rate. The reference is the same fleet a moment before, its task types paused.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { taskTypes } from '@omnizap/catalog';
import { waitFor } from '@omnizap/testkit';
import { z } from 'zod';
import { drawBenchStickers } from './bench-drawings.ts';
import type { BenchFleet } from './bench-fleet.ts';
import type { Bench, Measurement } from './bench-types.ts';
import { runOpenLoop } from './open-loop.ts';
import { createOwnerSession } from './owner-session.ts';
import { createSeededRandom } from '../simulation/seeded-random.ts';
import { percentile } from './statistics.ts';

const workers = ['worker-classification', 'worker-curation', 'worker-rebuild'];
const readPacks = 30;
const stickersInPack = 3;
const drawings = 400;
/** The same drawings by so many owners: each is a sticker of its own. */
const owners = 4;
const perSecond = 100;
const seconds = 20;
/** A pause is known everywhere within 2 s; what runs is finished by then. */
const switchSeconds = 4;
const sloTargetMs = 750;
const smallestBacklog = 500;
const timeoutMs = 180_000;

const listSchema = z.object({ data: z.array(z.object({ pack_key: z.string() })) });
const packSchema = z.object({ data: z.object({ stickers: z.array(z.object({ asset_url: z.string() })) }) });

export const inlinePollerBench: Bench = {
  name: 'inline-poller',
  summary: `${perSecond} reads per second on an API that works a backlog by itself, against the same one while it does not.`,
  rounds: 3,
  async prepare({ startFleet, say, signal }) {
    say(`drawing ${drawings} stickers`);
    const stickers = await drawBenchStickers('webp', drawings, 1);
    const fleet = await startFleet();
    const session = await createOwnerSession(fleet);
    const shown = stickers.slice(0, readPacks * stickersInPack);
    for (const packKey of await session.addAll(shown, stickersInPack)) await session.publish(packKey);
    await fleet.whenQuiet();
    const paths = await pathsToRead(fleet);

    for (const worker of workers) await fleet.stop(worker);
    await fleet.query(
      `UPDATE feature_flag SET is_enabled = 0, rollout_percent = 0, updated_by = 'bench'
        WHERE flag_name = 'enable_worker_dedicated_processes'`,
    );
    await control(fleet, 'pause');
    say(`uploading ${drawings * owners} stickers that nobody works`);
    for (let owner = 0; owner < owners; owner += 1) await (await createOwnerSession(fleet)).addAll(stickers);
    await waitFor(async () => (await waiting(fleet, 'classification')) >= drawings * owners, {
      timeoutMs,
      description: 'the backlog to wait for the inline poller',
    });

    return async (round) => {
      const load = { baseUrl: fleet.apiUrl, paths, perSecond, seconds, signal };
      const withoutWork = await runOpenLoop({ ...load, random: createSeededRandom(round) });
      const before = await waiting(fleet);
      await control(fleet, 'resume');
      await delay(switchSeconds * 1_000, undefined, { signal });
      const doneBefore = await finished(fleet);
      const cpuBefore = await fleet.cpuSeconds(['api']);
      const withWork = await runOpenLoop({ ...load, random: createSeededRandom(round) });
      const cpuAfter = await fleet.cpuSeconds(['api']);
      const done = (await finished(fleet)) - doneBefore;
      const left = await waiting(fleet);
      if (left < smallestBacklog) throw new Error(`Only ${left} tasks are left: this is no backlog`);
      await control(fleet, 'pause');
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

/** A list, packs and stickers in equal shares, as a gallery asks for them. */
async function pathsToRead(fleet: BenchFleet): Promise<string[]> {
  const read = async <Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema>> =>
    schema.parse(await (await fetch(new URL(path, fleet.apiUrl))).json());
  const list = '/api/sticker-packs?limit=24';
  const packKeys = await waitFor(
    async () => {
      const { data } = await read(list, listSchema);
      return data.length === 24 ? data.map((pack) => pack.pack_key) : null;
    },
    { timeoutMs: 60_000, intervalMs: 250, description: 'a full first page' },
  );
  const packs = packKeys.map((packKey) => `/api/sticker-packs/${packKey}`);
  const details = await Promise.all(packs.map(async (path) => await read(path, packSchema)));
  const stickers = details.map(({ data }) => data.stickers[0]?.asset_url ?? '').filter((url) => url !== '');
  return [...packs.map(() => list), ...packs, ...stickers];
}

async function control(fleet: BenchFleet, action: 'pause' | 'resume'): Promise<void> {
  for (const taskType of taskTypes) {
    const response = await fetch(new URL(`/api/admin/queues/${taskType}/${action}`, fleet.apiUrl), {
      method: 'POST',
      headers: { authorization: `Bearer ${fleet.adminToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ reason: 'bench' }),
    });
    if (!response.ok) throw new Error(`${action} of ${taskType} was answered ${response.status}`);
  }
}

async function waiting(fleet: BenchFleet, taskType?: string): Promise<number> {
  const [row] = await fleet.query<{ count: number }>(
    `SELECT COUNT(*)::int AS count FROM pgboss.job WHERE name LIKE $1 AND state IN ('created', 'retry')`,
    [`${taskType ?? '%'}.inline`],
  );
  return row?.count ?? 0;
}

async function finished(fleet: BenchFleet): Promise<number> {
  const [row] = await fleet.query<{ count: number }>(
    `SELECT COUNT(*)::int AS count FROM pgboss.job WHERE name LIKE '%.inline' AND state = 'completed'`,
  );
  return row?.count ?? 0;
}
