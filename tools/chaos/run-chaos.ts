/** One run: new databases, a new fleet, load, faults, rest, verdict. */
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { DatabaseServer } from './database-server.ts';
import type { Fault, FaultContext } from './faults/fault.ts';
import { watchFlips } from './flags/flip-watch.ts';
import type { Awareness } from './flags/flip-watch.ts';
import { createFlipper } from './flags/flipper.ts';
import { judgeLanes, judgeOwners } from './judge/judge-owners.ts';
import { judgeAwareness, judgeReloads, requestsDuring } from './judge/judge-reloads.ts';
import { judgeLives } from './judge/judge-rest.ts';
import { judgeRun } from './judge/judge-run.ts';
import type { KnownFacts } from './judge/known-facts.ts';
import type { Violation } from './judge/violation.ts';
import { readFinalTables, readRecordedHistory } from './final-tables.ts';
import type { JobChange } from './final-tables.ts';
import { startFleet } from './fleet.ts';
import type { Fleet, Life, Replacement } from './fleet.ts';
import { openHistoryFile } from './history-file.ts';
import { installCatalogueHistory, installQueueHistory } from './history-triggers.ts';
import { createLoad } from './load.ts';
import type { PicturePool } from './pictures.ts';
import { waitForRanking, waitForRest } from './quiescence.ts';
import { createRandom } from './random.ts';
import { drawTimeline, secondsToRecover } from './recovery.ts';
import { disturbedBy, excusesOf, failsBelow, freezes, injectAll } from './inject.ts';
import type { InjectionReport } from './inject.ts';
import { clockModule, createDatabases, createOwners, environment, migrate } from './prepare.ts';
import { findRescues } from './rescue.ts';
import type { Hit, Rescue } from './rescue.ts';
import { planFaults } from './schedule.ts';
import { findTakeOvers } from './take-over.ts';
import type { LaneDeath, TakeOver } from './take-over.ts';
import { overlapMs, watchStarvation } from './starvation.ts';
import { connectSql } from './sql.ts';
import type { DatabaseKind } from './sql.ts';
import type { AssetFigures } from './storage/asset-figures.ts';
import { createAssetLoad } from './storage/asset-load.ts';
import { judgeStorage, openStorageRun } from './storage/storage-run.ts';
import type { StorageMode, StorageServer } from './storage/storage-server.ts';

/** Load goes on after the last fault, so that recovery can be seen. */
const afterMs = 8_000;
const restTimeoutMs = 120_000;
/** Faults with which an API that is reloaded loses no request. */
const quietFaults = new Set(['reload-loop', 'flag-flip', 'lane-death', 'object-storage']);
const backMs = 6_000;
/** A process that was killed, frozen or cut off may count as gone for so long. */
const unseenMs = 15_000;
/** Of the random numbers. */
const endStateStream = 2;
const assetStream = 5;
/** A time of which more was without processors is not measured. */
const starvedPart = 0.1;
const nearMs = 1_000;
const maxMeasuredSeconds = 15;

export type RunOptions = {
  seed: number;
  kind: DatabaseKind;
  faults: Fault[];
  durationSeconds: number;
  requestsPerSecond: number;
  /** Of all flag-flips together; drawn when not given. */
  flips: number | undefined;
  servers: { catalogue: DatabaseServer; queue: DatabaseServer };
  pictures: PicturePool;
  folder: string;
  signal: AbortSignal;
  say: (line: string) => void;
  /** Set when PostgreSQL lives on a small disk of its own. */
  fillDisk: FaultContext['fillDisk'];
  /** Set when a fault of the run is about it. */
  storage: StorageServer | undefined;
  storageMode: StorageMode;
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
  flips: number;
  /** Per flip, flag and process. */
  awareness: (Awareness & { isDisturbed: boolean })[];
  overtakenFlips: number;
  takeOvers: (Omit<TakeOver, 'changes'> & { isDisturbed: boolean })[];
  reloads: { processes: number; ofApi: number; requests: number; failed: number };
  /** Null without object storage. */
  assets: AssetFigures | null;
  rescues: (Omit<Rescue, 'changes'> & { isDisturbed: boolean })[];
  recoverySeconds: number | null;
  /** After restarts of a database, from when it answered again. */
  databaseRecoverySeconds: number[];
  startSeconds: number;
  restSeconds: number;
  totalSeconds: number;
  restarts: number;
  /** In which the machine had no processors for it. */
  starvedSeconds: number;
  violations: Violation[];
};

export async function runChaos(options: RunOptions): Promise<RunReport> {
  const { seed, kind, folder, signal, say } = options;
  const begunAt = performance.now();
  const plan = planFaults(seed, options.faults, options.durationSeconds * 1_000);
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
    const { catalogueUrl, queueUrl } = await createDatabases(options.servers, kind, steps);
    const catalogue = connectSql(catalogueUrl);
    const queue = queueUrl === catalogueUrl ? catalogue : connectSql(queueUrl);
    steps.push(async () => {
      await catalogue.close();
      if (queue !== catalogue) await queue.close();
    });
    const adminToken = randomBytes(24).toString('base64url');
    const storage = options.storage ? await openStorageRun(options.storage, options.storageMode) : null;
    const env = { ...environment(dataDir, adminToken), ...storage?.settings };
    await migrate({ ...env, DATABASE_URL: catalogueUrl, QUEUE_DATABASE_URL: queueUrl });
    await storage?.turnOn(catalogue);
    await installCatalogueHistory(catalogue);
    await installQueueHistory(queue);

    const fleet = await startFleet({
      catalogueUrl,
      queueUrl,
      env,
      logDir,
      signal,
      note: (entry) => history.write('process', entry),
      hasCanary: plan.some(({ fault }) => fault.isAboutLanes),
      nodeOptions: (slot) => `--import ${JSON.stringify(clockModule(path.join(clockDir, slot)))}`,
    });
    steps.push(async () => await fleet.close());
    await fleet.whenReady();
    const owners = await createOwners(fleet, adminToken, seed);
    const startSeconds = (performance.now() - begunAt) / 1_000;

    const facts: KnownFacts = {
      poisonEvents: [],
      damagedContent: [],
      flips: [],
      knownEverywhereAt: () => Infinity,
      startedAt: Date.now(),
      endedAt: 0,
    };
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
    const watch = watchFlips(fleet);
    const starvation = watchStarvation(fleet);
    const flipper = createFlipper({
      catalogue,
      catalogueUrl,
      queueUrl,
      onFlip: watch.expect,
      startStates: storage?.flags,
      note: (entry) => history.write('fault', { fault: 'flag-flip', ...entry }),
    });
    Object.assign(facts, { flips: flipper.flips, knownEverywhereAt: watch.knownEverywhereAt });
    steps.push(async () => {
      watch.stop();
      starvation.stop();
      await flipper.close();
    });
    const random = createRandom(seed, assetStream);
    const assets = storage && createAssetLoad({ fleet, catalogue, load, facts, history, random });
    const laneDeaths: LaneDeath[] = [];
    const replacements: Replacement[] = [];
    const flaggers = plan.filter(({ fault }) => fault.reach === 'flags').length;
    const injections = await injectAll(options, plan, {
      kind,
      fleet,
      servers: options.servers,
      catalogue,
      queue,
      catalogueUrl,
      queueUrl,
      load,
      flipper,
      flips: options.flips === undefined ? undefined : Math.ceil(options.flips / Math.max(1, flaggers)),
      laneDeaths,
      replacements,
      dataDir,
      durationSeconds: options.durationSeconds,
      facts,
      note: (detail) => history.write('fault', detail),
      wait: async (milliseconds) => await delay(milliseconds, undefined, { signal }),
      shiftClock: async (slot, offsetMs) => await writeFile(path.join(clockDir, slot), String(offsetMs)),
      fillDisk: options.fillDisk,
      storage: storage && assets ? { ...storage, assets } : undefined,
    });
    for (const server of new Set(Object.values(options.servers))) await server.start();
    fleet.heal();
    if (flipper.flips.length > 0) await flipper.settle(createRandom(seed, endStateStream));
    await delay(afterMs, undefined, { signal });
    const loadEndedAt = Date.now();
    await load.stop();
    history.write('load', { ended: true, requests: load.requests.length });

    const awaited = { damaged: facts.damagedContent, timeoutMs: restTimeoutMs, signal };
    const rest = await waitForRest(catalogue, queue, awaited);
    if (rest.isQuiet) await waitForRanking(catalogue, signal);
    await watch.settled();
    facts.endedAt = Date.now();
    const tables = await readFinalTables(catalogue, queue);
    const recorded = await readRecordedHistory(catalogue, queue);
    const bucket = rest.isQuiet && storage ? await storage.readBucket(catalogue) : null;
    await fleet.stop();

    const isDisturbed = disturbedBy(injections, failsBelow);
    const isStarved = (fromMs: number, toMs: number): boolean =>
      overlapMs({ fromMs, toMs }, starvation.spans) > starvedPart * (toMs - fromMs);
    const isFrozen = disturbedBy(injections, (injection) => failsBelow(injection) || freezes(injection));
    const isFrozenToo = (fromMs: number, toMs: number): boolean => isFrozen(fromMs, toMs) || isStarved(fromMs, toMs);
    // What was killed or stopped otherwise needs a moment until it is back.
    const isElse = disturbedBy(injections, ({ fault }) => !quietFaults.has(fault), backMs);
    const isAnythingElse = (fromMs: number, toMs: number): boolean =>
      isElse(fromMs, toMs) || overlapMs({ fromMs, toMs }, starvation.spans) > (toMs - fromMs) / 2;
    /** What waited for a processor is worked off a moment later. */
    const isNearStarved = (fromMs: number, toMs: number): boolean =>
      overlapMs({ fromMs: fromMs - nearMs, toMs: toMs + nearMs }, starvation.spans) > 0;
    const rescues = findRescues(recorded.jobs, hits);
    const takeOvers = findTakeOvers(recorded.jobs, laneDeaths);
    const slotAt = (port: number, atMs: number): string | undefined =>
      fleet.slots.find(({ queue: proxy }) => proxy.hadPort(port, atMs))?.name;
    const isInlineServed = (atMs: number): boolean =>
      !isFrozenToo(atMs - unseenMs, atMs) &&
      !fleet.lives.some(
        ({ slot, asked, askedAt }) =>
          slot.startsWith('api') &&
          asked === 'kill' &&
          askedAt !== null &&
          askedAt <= atMs &&
          askedAt > atMs - unseenMs,
      );
    const isFlagMoved = flipper.flips.some(({ flags }) => flags.includes('enable_object_storage_delivery'));
    const verdict = judgeStorage(storage, assets, {
      ...{ tables, bucket, damagedContent: facts.damagedContent, isElse, isFlagMoved },
      isDisturbed: (fromMs, toMs) => isElse(fromMs, toMs) || isNearStarved(fromMs, toMs),
    });
    const violations = [
      ...judgeRun({ requests: load.requests, tables, history: recorded, rest, facts }),
      ...judgeLives(fleet.lives, (_life, fromMs, toMs) => isDisturbed(fromMs, toMs)),
      ...judgeOwners(
        recorded.jobs,
        rescues,
        { excuses: excusesOf(injections, fleet.lives), starved: starvation.spans },
        facts.endedAt,
      ),
      ...judgeLanes({ jobs: recorded.jobs, flips: flipper.flips, heard: watch.heard, isInlineServed, slotOf: slotAt }),
      ...judgeAwareness(watch.seen, isFrozenToo),
      ...judgeReloads(load.requests, replacements, isAnythingElse),
      ...(verdict?.violations ?? []),
    ];
    for (const found of violations) history.write('violation', found);
    const stepsOf = (changes: JobChange[], fromMs: number): object[] =>
      changes.map(({ atMs, port, jobId, queue: inQueue, operation, state }) => ({
        after_ms: Math.round(atMs - fromMs),
        by: port === null ? null : (slotAt(port, atMs) ?? null),
        task: jobId,
        queue: inQueue,
        operation,
        state,
      }));
    for (const { changes, ...rescue } of rescues)
      history.write('rescue', { ...rescue, steps: stepsOf(changes, rescue.atMs) });
    for (const { changes, ...takeOver } of takeOvers)
      history.write('take-over', { ...takeOver, steps: stepsOf(changes, takeOver.deathMs) });
    for (const death of laneDeaths) {
      const own = takeOvers
        .filter(({ deathMs }) => deathMs === death.atMs)
        .map(({ claimedMs }) => claimedMs - death.atMs);
      history.write('lane-death', {
        ...death,
        tasks: own.length,
        first_ms: own.length === 0 ? null : Math.round(Math.min(...own)),
        last_ms: own.length === 0 ? null : Math.round(Math.max(...own)),
      });
    }
    for (const { seconds, ...heard } of watch.seen)
      history.write('heard', { ...heard, seconds: seconds === Infinity ? null : seconds });
    const during = requestsDuring(load.requests, replacements, isAnythingElse);
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
      flips: flipper.flips.filter(({ how }) => how !== 'end').length,
      awareness: watch.seen.map((heard) => ({
        ...heard,
        isDisturbed: isFrozenToo(heard.askedAt, heard.askedAt + Math.min(heard.seconds, maxMeasuredSeconds) * 1_000),
      })),
      overtakenFlips: watch.overtaken(),
      takeOvers: takeOvers.map(({ changes: _, ...takeOver }) => ({
        ...takeOver,
        isDisturbed: isFrozenToo(takeOver.deathMs, takeOver.claimedMs),
      })),
      reloads: {
        processes: replacements.length,
        ofApi: replacements.filter(({ kind: of }) => of === 'api').length,
        requests: during.asked,
        failed: during.failed.length,
      },
      assets: verdict?.figures ?? null,
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
      starvedSeconds: starvation.spans.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0) / 1_000,
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

/** For whoever looks into a violation: everything that the checker saw. */
async function keepTables(folder: string, ...evidence: object[]): Promise<void> {
  const kept = path.join(folder, 'tables');
  await mkdir(kept, { recursive: true });
  for (const [name, rows] of evidence.flatMap((group) => Object.entries(group))) {
    const lines = Array.isArray(rows) ? rows.map((row) => JSON.stringify(row)) : [JSON.stringify(rows)];
    await writeFile(path.join(kept, `${name}.jsonl`), `${lines.join('\n')}\n`);
  }
}
