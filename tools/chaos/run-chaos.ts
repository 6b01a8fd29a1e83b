/** One run: new databases, a new fleet, load, faults, rest, verdict. */
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { spawnProcess } from '@omnizap/testkit';
import { withDatabase } from './database-server.ts';
import type { DatabaseServer } from './database-server.ts';
import type { FaultContext } from './faults/fault.ts';
import type { Fault } from './faults/fault.ts';
import { expectedRanking } from './judge/judge-convergence.ts';
import { judgeLives } from './judge/judge-rest.ts';
import { judgeRun } from './judge/judge-run.ts';
import type { KnownFacts } from './judge/known-facts.ts';
import type { Violation } from './judge/violation.ts';
import { readFinalTables, readNewestRanking, readRecordedHistory } from './final-tables.ts';
import type { FinalTables } from './final-tables.ts';
import { startFleet } from './fleet.ts';
import type { Fleet, Life } from './fleet.ts';
import { openHistoryFile } from './history-file.ts';
import { installCatalogueHistory, installQueueHistory } from './history-triggers.ts';
import { createHttpClient } from './http-client.ts';
import { createLoad } from './load.ts';
import type { Owner } from './load.ts';
import type { PicturePool } from './pictures.ts';
import { waitForRest } from './quiescence.ts';
import { createRandom } from './random.ts';
import { drawTimeline, secondsToRecover } from './recovery.ts';
import { findRescues } from './rescue.ts';
import type { Hit, Rescue } from './rescue.ts';
import { planFaults } from './schedule.ts';
import { connectSql } from './sql.ts';
import type { DatabaseKind, Sql } from './sql.ts';

const projectRoot = path.resolve(import.meta.dirname, '../..');
const ownerCount = 4;
/** Load goes on after the last fault, so that recovery can be seen. */
const afterMs = 8_000;
const restTimeoutMs = 120_000;
/** Lists are published every few seconds at most. */
const rankingTimeoutMs = 30_000;
const sweepCadenceMs = 2_000;

export type RunOptions = {
  seed: number;
  kind: DatabaseKind;
  faults: Fault[];
  durationSeconds: number;
  requestsPerSecond: number;
  servers: { catalogue: DatabaseServer; queue: DatabaseServer };
  pictures: PicturePool;
  folder: string;
  signal: AbortSignal;
  say: (line: string) => void;
  /** Set when PostgreSQL lives on a small disk of its own. */
  fillDisk: FaultContext['fillDisk'];
};

type InjectionReport = {
  fault: string;
  reach: Fault['reach'];
  startedAt: number;
  endedAt: number;
  /** Why it could not be put in. */
  problem?: string;
};

export type RunReport = {
  seed: number;
  folder: string;
  historyFile: string;
  injections: InjectionReport[];
  requests: { asked: number; ok: number; refused: number; unknown: number; skipped: number };
  events: number;
  effects: number;
  deadLetters: number;
  rescues: (Omit<Rescue, 'changes'> & { isDisturbed: boolean })[];
  recoverySeconds: number | null;
  /** After restarts of a database, from when it answered again. */
  databaseRecoverySeconds: number[];
  startSeconds: number;
  restSeconds: number;
  totalSeconds: number;
  restarts: number;
  violations: Violation[];
};

export async function runChaos(options: RunOptions): Promise<RunReport> {
  const { seed, kind, folder, signal, say } = options;
  const begunAt = performance.now();
  const steps: (() => Promise<void>)[] = [];
  const logDir = path.join(folder, 'logs');
  const dataDir = path.join(folder, 'data');
  const clockDir = path.join(folder, 'clocks');
  for (const made of [logDir, dataDir, clockDir]) await mkdir(made, { recursive: true });
  const history = openHistoryFile(path.join(folder, 'history.jsonl'));
  steps.push(async () => await history.close());
  history.write('run', {
    seed,
    database: kind,
    faults: options.faults.map(({ name }) => name),
    duration_seconds: options.durationSeconds,
  });

  try {
    const { catalogueUrl, queueUrl } = await createDatabases(options, steps);
    const catalogue = connectSql(catalogueUrl);
    const queue = queueUrl === catalogueUrl ? catalogue : connectSql(queueUrl);
    steps.push(async () => {
      await catalogue.close();
      if (queue !== catalogue) await queue.close();
    });
    const adminToken = randomBytes(24).toString('base64url');
    const env = environment(dataDir, adminToken);
    await migrate({ ...env, DATABASE_URL: catalogueUrl, QUEUE_DATABASE_URL: queueUrl });
    await installCatalogueHistory(catalogue);
    await installQueueHistory(queue);

    const fleet = await startFleet({
      catalogueUrl,
      queueUrl,
      env,
      logDir,
      signal,
      note: (entry) => history.write('process', entry),
      nodeOptions: (slot) => `--import ${JSON.stringify(clockModule(path.join(clockDir, slot)))}`,
    });
    steps.push(async () => await fleet.close());
    await fleet.whenReady();
    const owners = await createOwners(fleet, adminToken, seed);
    const startSeconds = (performance.now() - begunAt) / 1_000;

    const facts: KnownFacts = { poisonEvents: [], damagedContent: [], startedAt: Date.now(), endedAt: 0 };
    const load = createLoad({
      seed,
      requestsPerSecond: options.requestsPerSecond,
      random: createRandom(seed),
      pictures: options.pictures,
      owners,
      apiUrls: fleet.apiUrls,
      history,
    });
    load.start();
    const hits: Hit[] = [];
    watchHits(fleet, hits);
    const injections = await injectAll(options, {
      kind,
      fleet,
      servers: options.servers,
      catalogue,
      queue,
      catalogueUrl,
      queueUrl,
      load,
      dataDir,
      durationSeconds: options.durationSeconds,
      facts,
      note: (detail) => history.write('fault', detail),
      wait: async (milliseconds) => await delay(milliseconds, undefined, { signal }),
      shiftClock: async (slot, offsetMs) => await writeFile(path.join(clockDir, slot), String(offsetMs)),
      fillDisk: options.fillDisk,
    });
    for (const server of new Set(Object.values(options.servers))) await server.start();
    fleet.heal();
    await delay(afterMs, undefined, { signal });
    const loadEndedAt = Date.now();
    await load.stop();
    history.write('load', { ended: true, requests: load.requests.length });

    const rest = await waitForRest(catalogue, queue, restTimeoutMs, signal);
    if (rest.isQuiet) await waitForRanking(catalogue, signal);
    facts.endedAt = Date.now();
    const tables = await readFinalTables(catalogue, queue);
    const recorded = await readRecordedHistory(catalogue, queue);
    await fleet.stop();

    const isDisturbed = disturbedBy(injections);
    const violations = [
      ...judgeRun({ requests: load.requests, tables, history: recorded, rest, facts }),
      ...judgeLives(fleet.lives, (_life, fromMs, toMs) => isDisturbed(fromMs, toMs)),
    ];
    for (const found of violations) history.write('violation', found);
    const rescues = findRescues(recorded.jobs, hits);
    for (const { changes, ...rescue } of rescues) {
      const steps = changes.map(({ atMs, port, jobId, operation, state }) => ({
        after_ms: Math.round(atMs - rescue.atMs),
        by: port === null ? null : (fleet.slots.find(({ queue: proxy }) => proxy.hadPort(port, atMs))?.name ?? null),
        task: jobId,
        operation,
        state,
      }));
      history.write('rescue', { ...rescue, steps });
    }
    if (violations.length > 0) await keepTables(folder, tables, recorded);
    const timeline = drawTimeline(load.requests, recorded.events, facts.startedAt, loadEndedAt);
    const firstFaultAt = injections[0]?.startedAt ?? Infinity;
    const recover = (healedAt: number): number | null => secondsToRecover(timeline, firstFaultAt, healedAt);
    const restarts = injections.filter(({ fault, problem }) => fault.startsWith('database-') && problem === undefined);
    const count = (outcome: string): number => load.requests.filter((request) => request.outcome === outcome).length;
    return {
      seed,
      folder,
      historyFile: history.path,
      injections,
      requests: {
        asked: load.requests.length,
        ok: count('ok'),
        refused: count('refused'),
        unknown: count('unknown'),
        skipped: load.skipped(),
      },
      events: recorded.events.filter(({ operation }) => operation === 'insert').length,
      effects: recorded.effects.length,
      deadLetters: tables.deadEvents.length + tables.deadTasks.length,
      rescues: rescues.map(({ changes: _, ...rescue }) => ({
        ...rescue,
        isDisturbed: isDisturbed(rescue.atMs, rescue.atMs + rescue.seconds * 1_000),
      })),
      recoverySeconds: injections.length === 0 ? null : recover(Math.max(...injections.map(({ endedAt }) => endedAt))),
      databaseRecoverySeconds: restarts
        .filter(({ endedAt }) => !isDisturbed(endedAt + 1, endedAt + 10_000))
        .map(({ endedAt }) => recover(endedAt))
        .filter((seconds) => seconds !== null),
      startSeconds,
      restSeconds: rest.tookMs / 1_000,
      totalSeconds: (performance.now() - begunAt) / 1_000,
      restarts: fleet.lives.length - fleet.slots.length,
      violations,
    };
  } finally {
    for (let step = steps.pop(); step; step = steps.pop())
      await step().catch((error: unknown) =>
        say(`clean-up: ${error instanceof Error ? error.message : String(error)}`),
      );
  }
}

async function createDatabases(
  { servers, kind }: RunOptions,
  steps: (() => Promise<void>)[],
): Promise<{ catalogueUrl: string; queueUrl: string }> {
  const name = `chaos_${randomBytes(6).toString('hex')}`;
  const queueUrl = withDatabase(servers.queue.url(), name);
  const create = async (server: DatabaseServer, adminDatabase: string, create: string, drop: string): Promise<void> => {
    const sql = connectSql(withDatabase(server.url(), adminDatabase));
    await sql.query(create);
    steps.push(async () => {
      await sql.query(drop).finally(async () => await sql.close());
    });
  };
  await create(servers.queue, 'postgres', `CREATE DATABASE ${name}`, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  if (kind === 'postgres') return { catalogueUrl: queueUrl, queueUrl };
  await create(
    servers.catalogue,
    'mysql',
    `CREATE DATABASE ${name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
    `DROP DATABASE IF EXISTS ${name}`,
  );
  return { catalogueUrl: withDatabase(servers.catalogue.url(), name), queueUrl };
}

function environment(dataDir: string, adminToken: string): Record<string, string> {
  return {
    STICKER_DATA_DIR: dataDir,
    ADMIN_TOKEN: adminToken,
    LOG_FORMAT: 'json',
    // Each viewer of the load comes from an address of its own.
    TRUST_PROXY_HOPS: '1',
    STICKER_WORKER_CLASSIFICATION_CADENCE_MS: String(sweepCadenceMs),
    STICKER_WORKER_CURATION_CADENCE_MS: String(sweepCadenceMs),
    STICKER_WORKER_REBUILD_CADENCE_MS: String(sweepCadenceMs),
    NODE_COMPILE_CACHE: path.join(projectRoot, '.cache', 'node'),
  };
}

async function migrate(env: Record<string, string>): Promise<void> {
  const migration = await spawnProcess('tools/migrate.ts', ['up'], env, { waitForReady: false });
  const { code } = await migration.exited;
  if (code !== 0) throw new Error(`The migrations failed: ${migration.output()}`);
}

/** The control file is named in the module's address, as one process's environment is that of all of its kind. */
function clockModule(controlFile: string): string {
  const module = new URL('shift-clock.ts', import.meta.url);
  module.searchParams.set('control', controlFile);
  return module.href;
}

async function createOwners(fleet: Fleet, adminToken: string, seed: number): Promise<Owner[]> {
  const client = createHttpClient();
  const owners: Owner[] = [];
  for (let index = 1; index <= ownerCount; index += 1) {
    const ownerId = `chaos-${seed}-owner-${index}`;
    const { status, body } = await client.send(`${fleet.apiUrls()[0] ?? ''}/api/admin/api-keys`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${adminToken}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ owner_id: ownerId, scopes: ['catalog:write'] }),
    });
    if (status !== 201) throw new Error(`No API key for the load: ${status} ${JSON.stringify(body)}`);
    owners.push({ ownerId, key: (body as { data: { key: string } }).data.key });
  }
  client.close();
  return owners;
}

/** Remembers who was killed or frozen, with the connections that it had. */
function watchHits(fleet: Fleet, hits: Hit[]): void {
  const remember = (life: Life | null): Life | null => {
    const slot = fleet.slots.find(({ name }) => name === life?.slot);
    if (life && slot)
      hits.push({ slot: life.slot, atMs: Date.now(), hadPort: slot.queue.hadPort, startedAtMs: life.startedAt });
    return life;
  };
  const { kill, pause } = fleet;
  fleet.kill = (slot) => remember(kill(slot));
  fleet.pause = (slot) => remember(pause(slot));
}

/** Resolves when the last fault is over. A fault that cannot be put in (its database is down by another one) is noted, no more. */
async function injectAll(options: RunOptions, context: FaultContext): Promise<InjectionReport[]> {
  const { seed, faults, durationSeconds, signal, say } = options;
  const startedAt = performance.now();
  const plan = planFaults(seed, faults, durationSeconds * 1_000);
  const reports = plan.map(async ({ fault, atMs, stream }): Promise<InjectionReport> => {
    await delay(atMs - (performance.now() - startedAt), undefined, { signal });
    const report: InjectionReport = { fault: fault.name, reach: fault.reach, startedAt: Date.now(), endedAt: 0 };
    const note = (detail: object): void => context.note({ fault: fault.name, ...detail });
    note({ phase: 'start' });
    try {
      await fault.inject({ ...context, note }, createRandom(seed, stream));
    } catch (error) {
      if (signal.aborted) throw error;
      report.problem = error instanceof Error ? error.message : String(error);
      say(`${fault.name} could not be put in: ${report.problem}`);
    }
    report.endedAt = Date.now();
    note({ phase: 'end', ...(report.problem === undefined ? {} : { problem: report.problem }) });
    return report;
  });
  const done = await Promise.all(reports);
  const leftMs = durationSeconds * 1_000 - (performance.now() - startedAt);
  if (leftMs > 0) await delay(leftMs, undefined, { signal });
  return done;
}

/** Whether a fault of a database or a network was at work then. */
function disturbedBy(injections: InjectionReport[]): (fromMs: number, toMs: number) => boolean {
  const faults = injections.filter(({ reach }) => reach === 'database' || reach === 'network');
  return (fromMs, toMs) => faults.some(({ startedAt, endedAt }) => startedAt <= toMs && endedAt >= fromMs);
}

/** The newest generation may be published a moment after the last score. Not coming is found by the checker. */
async function waitForRanking(catalogue: Sql, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + rankingTimeoutMs;
  while (performance.now() < deadline) {
    const expected = expectedRanking(await readRankable(catalogue));
    const ranking = Object.values(await readNewestRanking(catalogue));
    const isCurrent = (ids: string[]): boolean => ids.length === expected.size && ids.every((id) => expected.has(id));
    if ((ranking.length > 0 || expected.size === 0) && ranking.every(isCurrent)) return;
    await delay(500, undefined, { signal });
  }
}

async function readRankable(
  catalogue: Sql,
): Promise<Pick<FinalTables, 'packs' | 'items' | 'assets' | 'classifications'>> {
  const { packs, items, assets, classifications } = await readFinalTables(catalogue, {
    ...catalogue,
    query: () => Promise.resolve([]),
  });
  return { packs, items, assets, classifications };
}

/** For whoever looks into a violation: everything that the checker saw. */
async function keepTables(folder: string, ...evidence: object[]): Promise<void> {
  const kept = path.join(folder, 'tables');
  await mkdir(kept, { recursive: true });
  for (const [name, rows] of evidence.flatMap((group) => Object.entries(group))) {
    const lines = Array.isArray(rows) ? rows.map((row) => JSON.stringify(row)) : [JSON.stringify(rows)];
    await writeFile(path.join(kept, `${name}.jsonl`), `${lines.join('\n')}\n`);
  }
}
