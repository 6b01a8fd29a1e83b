/**
 * Changes that nobody announces, as when an event was lost or the outbox is off, and tasks that come without a wake-up; and a
 * look each second at what became of them. Uploads and new packs come over the API. A theme has nothing that one could change
 * from outside at a time of one's choice, so its row in the ledger is written as a change would write it.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { taskSettings } from '@omnizap/catalog';
import { bucketOf } from '@omnizap/rollout';
import { createLogger } from '@omnizap/runtime';
import { createTaskQueues, type Lane } from '@omnizap/tasks';
import type { BenchFleet } from './bench-fleet.ts';
import { createOwnerSession, type BenchSticker } from './owner-session.ts';
import { createSeededRandom } from '../simulation/seeded-random.ts';

const lookMs = 1_000;
/** Of each kind, on average; at random, so that no moment of a poller's rest is preferred. */
const meanTaskGapMs = 2_000;
const dedicatedFlag = 'enable_worker_dedicated_processes';
const dedicatedPercent = 50;

export type Injected = {
  /** Those that were changed here, of every task type. */
  subjects: Set<string>;
  /** Tasks for subjects that do not exist, by who claims them. */
  unannouncedTasks: { classification: string[]; rebuild: string[]; inline: string[] };
};

type InjectOptions = {
  stickers: BenchSticker[];
  seconds: number;
  secondsBetweenChanges: number;
  seed: number;
  signal: AbortSignal;
};

export async function injectChanges(fleet: BenchFleet, options: InjectOptions): Promise<Injected> {
  const injected: Injected = {
    subjects: new Set(),
    unannouncedTasks: { classification: [], rebuild: [], inline: [] },
  };
  const log = createLogger({ level: 'silent', format: 'json', process: 'bench' });
  // Without wake-ups: what it puts into a queue is found by polling only.
  const queues = createTaskQueues(taskSettings, { queueUrl: fleet.databaseUrl, log, applicationName: 'bench' });
  await queues.start();
  const random = createSeededRandom(options.seed);
  const endsAt = performance.now() + options.seconds * 1_000;
  const pause = async (milliseconds: number): Promise<void> =>
    await delay(Math.max(0, milliseconds), undefined, { signal: options.signal });

  async function makeChanges(): Promise<void> {
    const session = await createOwnerSession(fleet);
    const startedAt = performance.now();
    for (const [index, sticker] of options.stickers.entries()) {
      await pause(startedAt + index * options.secondsBetweenChanges * 1_000 - performance.now());
      if (performance.now() >= endsAt) return;
      const packKey = await session.createPack(`Unannounced ${index}`);
      injected.subjects.add(await idOfPack(fleet, packKey));
      injected.subjects.add(await session.addSticker(packKey, sticker, index));
      const theme = `bench-${randomUUID()}`;
      injected.subjects.add(theme);
      await fleet.query(`INSERT INTO work_state (task_type, subject_id) VALUES ('curation', $1)`, [theme]);
    }
  }

  async function putTasks(kind: keyof Injected['unannouncedTasks'], draw: () => number): Promise<void> {
    const taskType = kind === 'rebuild' ? 'rebuild' : 'classification';
    const lane: Lane = kind === 'inline' ? 'inline' : 'stable';
    for (;;) {
      await pause(-Math.log(1 - draw()) * meanTaskGapMs);
      if (performance.now() >= endsAt) return;
      const subjectId = subjectOf(lane);
      injected.unannouncedTasks[kind].push(subjectId);
      await queues.enqueue([{ taskType, subjectId }], lane);
    }
  }

  try {
    // A sequence of its own for each, the same in every fleet.
    const draws = [1, 2, 3].map(() => createSeededRandom(Math.floor(random() * 2 ** 31)));
    const kinds = ['classification', 'rebuild', 'inline'] as const;
    await Promise.all([
      makeChanges(),
      ...kinds.map(async (kind, index) => await putTasks(kind, draws[index] as () => number)),
    ]);
  } finally {
    await queues.stop();
  }
  return injected;
}

/** One that the flag gives to that lane. */
function subjectOf(lane: Lane): string {
  for (;;) {
    const subjectId = randomUUID();
    if (bucketOf(dedicatedFlag, subjectId) <= dedicatedPercent === (lane === 'stable')) return subjectId;
  }
}

async function idOfPack(fleet: BenchFleet, packKey: string): Promise<string> {
  const [row] = await fleet.query<{ id: string }>('SELECT id FROM sticker_pack WHERE pack_key = $1', [packKey]);
  if (!row) throw new Error(`There is no pack ${packKey}`);
  return row.id;
}

export type SeenWork = {
  /** From when it was wanted until it was done for the first time, of these subjects. What is not done is left out. */
  waitsMs: (taskType: string, subjects: Set<string>) => number[];
  /** One per look. */
  snapshotAgesMs: number[];
};

type WorkRow = { task_type: string; subject_id: string; done_version: number; wanted_ms: number; now_ms: number };

/** Looks until the signal ends it. All times are the database's. */
export async function watchWork(fleet: BenchFleet, until: AbortSignal): Promise<SeenWork> {
  const wantedAt = new Map<string, number>();
  const waits = new Map<string, number>();
  const snapshotAgesMs: number[] = [];
  const key = (taskType: string, subjectId: string): string => `${taskType} ${subjectId}`;
  while (!until.aborted) {
    const rows = await fleet.query<WorkRow>(
      `SELECT task_type, subject_id, done_version::int AS done_version,
              EXTRACT(EPOCH FROM wanted_at)::float8 * 1000 AS wanted_ms, EXTRACT(EPOCH FROM now())::float8 * 1000 AS now_ms
         FROM work_state`,
    );
    for (const row of rows) {
      const name = key(row.task_type, row.subject_id);
      if (!wantedAt.has(name)) wantedAt.set(name, row.wanted_ms);
      // Not when nothing is due any more: something newer may be wanted by then.
      if (row.done_version > 0 && !waits.has(name)) waits.set(name, row.now_ms - (wantedAt.get(name) ?? row.wanted_ms));
    }
    const [newest] = await fleet.query<{ age_ms: number }>(
      `SELECT EXTRACT(EPOCH FROM now() - MAX(refreshed_at))::float8 * 1000 AS age_ms FROM ranking_generation`,
    );
    snapshotAgesMs.push(newest?.age_ms ?? NaN);
    await delay(lookMs, undefined, { signal: until }).catch(() => undefined);
  }
  return {
    waitsMs: (taskType, subjects) =>
      [...subjects].flatMap((subjectId) => {
        const wait = waits.get(key(taskType, subjectId));
        return wait === undefined ? [] : [wait];
      }),
    snapshotAgesMs,
  };
}
