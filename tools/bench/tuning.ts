/**
 * What halving and doubling the tunables of runbooks/tuning.md does. Three fleets run side by side, with all variables halved, at
 * their defaults and doubled, so that they share every moment of the machine; each gets the same changes at the same times.
 *
 * Cadences and the poll interval are the real ones. The refresh interval is a fifth: in ten minutes a doubled one would be seen
 * once, and the publisher only compares a time with it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '@omnizap/testkit';
import { drawBenchStickers } from './bench-drawings.ts';
import type { BenchFleet } from './bench-fleet.ts';
import type { Bench, Measurement } from './bench-types.ts';
import { createOwnerSession } from './owner-session.ts';
import { measurePublication } from './publication-cost.ts';
import { countStatements, perSecondOf, watchStatements } from './statement-log.ts';
import { median, percentile } from './statistics.ts';
import { injectChanges, watchWork, type Injected, type SeenWork } from './unannounced-changes.ts';

/** The doubled rebuild cadence once; then its sweep, which may be late on a busy machine, and the work that it finds. */
const observedSeconds = 480;
const latestSweepSeconds = 60;
const afterwardsSeconds = 8;
/** As long as a change is too young to be swept: these wait for the second sweep, as they would at any other time. */
const leadSeconds = 15;
const idleSeconds = 60;
/** Gauges, the next ranking and the closing of idle connections belong to the work before. */
const settleSeconds = 35;
const secondsBetweenChanges = 5;
const seededStickers = 24;
const refreshScale = 5;
/** How many were measured: there is nothing to compare. */
const sampleUnit = '';

const settings = ['halved', 'default', 'doubled'] as const;
type Setting = (typeof settings)[number];
type PerSetting = Record<Setting, number>;
const factors: PerSetting = { halved: 0.5, default: 1, doubled: 2 };

const defaultsMs = {
  STICKER_WORKER_CLASSIFICATION_CADENCE_MS: 120_000,
  STICKER_WORKER_CURATION_CADENCE_MS: 180_000,
  STICKER_WORKER_REBUILD_CADENCE_MS: 240_000,
  STICKER_DEDICATED_WORKER_POLL_INTERVAL_MS: 2_500,
  STICKER_SCORE_SNAPSHOT_REFRESH_INTERVAL_MS: 300_000 / refreshScale,
};
const changeKinds = { classification: 'uploaded', curation: 'changed', rebuild: 'changed' } as const;

type Observed = {
  idle: { statements: Map<string, number>; cpu: Map<string, number> };
  sweepsPerHour: Map<string, number>;
  work: SeenWork;
  injected: Injected;
  pollWaits: Record<keyof Injected['unannouncedTasks'], number[]>;
  generationsPerHour: number;
};

export const tuningBench: Bench = {
  name: 'tuning',
  summary:
    'Every tunable halved and doubled beside its default: what it changes and what it costs (11 minutes a round).',
  rounds: 1,
  isOnRequest: true,
  async prepare({ startFleet, say, signal }) {
    say('drawing');
    const uploads = Math.ceil((leadSeconds + observedSeconds) / secondsBetweenChanges);
    const stickers = await drawBenchStickers('webp', seededStickers + uploads, 1);
    const fleets = new Map<Setting, BenchFleet>();
    for (const setting of settings) fleets.set(setting, await startFleet(environmentOf(setting)));
    return async (round) => {
      const observed = await Promise.all(
        settings.map(async (setting) => {
          const fleet = fleets.get(setting) as BenchFleet;
          const rebuildCadenceMs = defaultsMs.STICKER_WORKER_REBUILD_CADENCE_MS * factors[setting];
          const sayOne = setting === 'default' ? say : (): void => undefined;
          return [setting, await observe(fleet, stickers, { round, rebuildCadenceMs, say: sayOne, signal })] as const;
        }),
      );
      const publication = await measurePublication(fleets.get('default') as BenchFleet, signal);
      return [...describe(new Map(observed)), ...publication];
    };
  },
};

function environmentOf(setting: Setting): Record<string, string> {
  return Object.fromEntries(
    Object.entries(defaultsMs).map(([name, value]) => [name, String(value * factors[setting])]),
  );
}

type ObserveOptions = {
  round: number;
  rebuildCadenceMs: number;
  say: (line: string) => void;
  signal: AbortSignal;
};

async function observe(
  fleet: BenchFleet,
  stickers: Awaited<ReturnType<typeof drawBenchStickers>>,
  { round, rebuildCadenceMs, say, signal }: ObserveOptions,
): Promise<Observed> {
  const wait = async (seconds: number): Promise<void> => await delay(seconds * 1_000, undefined, { signal });
  await setFlag(fleet, 'enable_domain_event_outbox', 100);
  await setFlag(fleet, 'enable_worker_dedicated_processes', 100);
  const session = await createOwnerSession(fleet);
  for (const packKey of await session.addAll(stickers.slice(0, seededStickers), 3)) await session.publish(packKey);
  await fleet.whenQuiet();
  // Nothing is announced; every lane has a share, so every poller polls.
  await setFlag(fleet, 'enable_domain_event_outbox', 0);
  await setFlag(fleet, 'enable_worker_dedicated_processes', 50);
  say(`idle for ${settleSeconds} s, then counting for ${idleSeconds} s`);
  await wait(settleSeconds);
  const idle = await observeIdle(fleet, signal);

  say(`changes for ${leadSeconds + observedSeconds} s`);
  // Its first sweep is the beginning of the observed time, so that whole cadences are seen.
  await fleet.stop('maintenance');
  const ending = new AbortController();
  const watched = watchWork(fleet, AbortSignal.any([ending.signal, signal]));
  const injecting = injectChanges(fleet, {
    stickers: stickers.slice(seededStickers),
    seconds: leadSeconds + observedSeconds,
    secondsBetweenChanges,
    seed: round,
    signal,
  });
  injecting.catch(() => undefined);
  await wait(leadSeconds);
  const sweeps = new Map<string, number>();
  const stopWatching = await watchStatements(fleet, ({ connection, text, parameters }) => {
    if (connection !== 'omnizap maintenance' || !text.startsWith('select "subject_id", "wanted_at" from "work_state"'))
      return;
    const taskType = /\$1 = '(\w+)'/.exec(parameters)?.[1] ?? 'unknown';
    sweeps.set(taskType, (sweeps.get(taskType) ?? 0) + 1);
  });
  const before = await newestGeneration(fleet);
  const startedAt = performance.now();
  await fleet.start('maintenance');
  await wait(observedSeconds);
  const generationsPerHour = perHour((await newestGeneration(fleet)) - before, performance.now() - startedAt);
  const expected = 1 + Math.floor((observedSeconds * 1_000) / rebuildCadenceMs);
  await waitFor(() => (sweeps.get('rebuild') ?? 0) >= expected, {
    timeoutMs: latestSweepSeconds * 1_000,
    intervalMs: 250,
    description: `rebuild sweep ${expected}`,
  });
  const hours = (performance.now() - startedAt) / 3_600_000;
  await wait(afterwardsSeconds);
  await stopWatching();
  const injected = await injecting;
  ending.abort();
  const work = await watched;
  const pollWaits = {
    classification: await waitsOf(fleet, injected.unannouncedTasks.classification),
    rebuild: await waitsOf(fleet, injected.unannouncedTasks.rebuild),
    inline: await waitsOf(fleet, injected.unannouncedTasks.inline),
  };
  return {
    idle,
    // The first came with the start: what is counted are the times between them.
    sweepsPerHour: new Map([...sweeps].map(([taskType, count]) => [taskType, (count - 1) / hours])),
    work,
    injected,
    pollWaits,
    generationsPerHour,
  };
}

async function observeIdle(fleet: BenchFleet, signal: AbortSignal): Promise<Observed['idle']> {
  const names = [...fleet.processes().map(({ name }) => name)];
  const cpuNow = async (): Promise<Map<string, number>> => {
    const each = await Promise.all(names.map(async (name) => (await fleet.cpuSeconds([name])).processes));
    const { database } = await fleet.cpuSeconds([]);
    return new Map([...names.map((name, index) => [name, each[index] ?? NaN] as const), ['database', database]]);
  };
  const before = await cpuNow();
  const { statements } = await countStatements(fleet, idleSeconds, signal);
  const after = await cpuNow();
  const perSecond = new Map(names.map((name) => [name, perSecondOf(name, statements, idleSeconds)]));
  const cpu = new Map([...after].map(([name, seconds]) => [name, (seconds - (before.get(name) ?? 0)) / idleSeconds]));
  return { statements: perSecond, cpu };
}

function describe(observed: Map<Setting, Observed>): Measurement[] {
  const each = (read: (one: Observed) => number): PerSetting =>
    Object.fromEntries(settings.map((setting) => [setting, read(observed.get(setting) as Observed)])) as PerSetting;
  const seconds = (milliseconds: number[], at: number): number => percentile(milliseconds, at) / 1_000;
  const rows: [name: string, unit: string, values: PerSetting][] = [];
  for (const [taskType, verb] of Object.entries(changeKinds)) {
    const waits = (one: Observed): number[] => one.work.waitsMs(taskType, one.injected.subjects);
    const label = `${taskType} cadence`;
    rows.push(
      [`${label}: ${verb} to done, median`, 's', each((one) => median(waits(one)) / 1_000)],
      [`${label}: ${verb} to done, longest`, 's', each((one) => seconds(waits(one), 100))],
      [`${label}: changes measured`, sampleUnit, each((one) => waits(one).length)],
      [`${label}: sweeps`, '/h', each((one) => one.sweepsPerHour.get(taskType) ?? 0)],
    );
  }
  rows.push([
    'classification cadence: classified to derivative, median',
    's',
    each((one) => median(one.work.waitsMs('derivative', one.injected.subjects)) / 1_000),
  ]);
  rows.push(['all cadences: statements of idle maintenance', '/s', each((one) => statementsOf(one, 'maintenance'))]);
  for (const kind of ['classification', 'rebuild', 'inline'] as const) {
    const label = `poll interval: unannounced task, ${kind}`;
    rows.push(
      [`${label}, median`, 'ms', each((one) => median(one.pollWaits[kind]))],
      [`${label}, p95`, 'ms', each((one) => percentile(one.pollWaits[kind], 95))],
      [`${label}, measured`, sampleUnit, each((one) => one.pollWaits[kind].length)],
    );
  }
  for (const name of ['worker-classification', 'worker-rebuild', 'api'])
    rows.push(
      [`poll interval: statements of idle ${name}`, '/s', each((one) => statementsOf(one, name))],
      [`poll interval: processor of idle ${name}`, 'ms/s', each((one) => (one.idle.cpu.get(name) ?? NaN) * 1_000)],
    );
  rows.push([
    'all: processor of idle PostgreSQL',
    'ms/s',
    each((one) => (one.idle.cpu.get('database') ?? NaN) * 1_000),
  ]);
  const label = `refresh interval at 1/${refreshScale}`;
  rows.push(
    [`${label}: age of the snapshot, median`, 's', each((one) => median(one.work.snapshotAgesMs) / 1_000)],
    [`${label}: age of the snapshot, longest`, 's', each((one) => seconds(one.work.snapshotAgesMs, 100))],
    [`${label}: generations`, '/h', each((one) => one.generationsPerHour)],
  );
  return rows.flatMap(([name, unit, values]) => compared(name, unit, values));
}

const statementsOf = (one: Observed, name: string): number => one.idle.statements.get(name) ?? NaN;

/** The default is the reference. */
function compared(name: string, unit: string, values: PerSetting): Measurement[] {
  const own = settings.map((setting) => ({ name: `${name}, ${setting}`, unit, value: values[setting] }));
  if (unit === sampleUnit) return own;
  return [
    ...own,
    ...(['halved', 'doubled'] as const).map((setting) => ({
      name: `${name}, ${setting} against default`,
      unit: 'x',
      value: values[setting] / values.default,
    })),
  ];
}

async function setFlag(fleet: BenchFleet, flag: string, percent: number): Promise<void> {
  await fleet.query(
    `UPDATE feature_flag SET is_enabled = $2, rollout_percent = $3, updated_by = 'bench' WHERE flag_name = $1`,
    [flag, percent > 0 ? 1 : 0, percent],
  );
}

async function newestGeneration(fleet: BenchFleet): Promise<number> {
  const [row] = await fleet.query<{ newest: number }>('SELECT MAX(generation)::int AS newest FROM ranking_generation');
  return row?.newest ?? NaN;
}

/** From when each task was due until it was claimed, by the clock of the database. */
async function waitsOf(fleet: BenchFleet, subjectIds: string[]): Promise<number[]> {
  const rows = await fleet.query<{ wait: number }>(
    `SELECT EXTRACT(EPOCH FROM started_on - GREATEST(created_on, start_after))::float8 * 1000 AS wait
       FROM pgboss.job WHERE data->>'subject_id' = ANY($1) AND started_on IS NOT NULL`,
    [subjectIds],
  );
  return rows.map(({ wait }) => wait);
}

const perHour = (count: number, milliseconds: number): number => (count * 3_600_000) / milliseconds;
