/**
 * The life of one OS process of the fleet: configuration, the parts in order, ready, and an orderly end on SIGTERM, SIGINT or
 * when the parent that supervises it is gone. A stop that takes longer than the deadline ends the process with code 1.
 */
import type { Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { closeServer, prepareToClose } from './close-server.ts';
import { loadConfig, type Config } from './config.ts';
import { connectDatabase, type Database } from './database.ts';
import { isAppError } from './errors.ts';
import { createHealth, createHealthServer, type Health } from './health.ts';
import { createLeaseStore } from './lease-store.ts';
import { listen, listenOnFirstFree } from './listen.ts';
import { createLogger, type Logger } from './log.ts';
import { createMembership, type Membership } from './membership.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { waitForSchema } from './schema.ts';
import { startTracing, tracingStopLimitMs } from './start-tracing.ts';
import { createWakeups, type Wakeups } from './wakeups.ts';
import { buildVersion } from './version.ts';

/** Below the 15 s of the contract, above the longest hand-back. */
const stopDeadlineMs = 14_000;

/** Longer than any statement of a process takes; short enough to be back within 10 s after a network that dropped everything. */
const databaseSilenceLimitMs = 8_000;

export type Component = {
  name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** How long a stop waits for this part before it goes on without it. Default 2 s. */
  stopLimitMs?: number;
};

const defaultStopLimitMs = 2_000;
/** Running requests are cut after 5 s. */
const httpStopLimitMs = 6_000;
/** From then on nobody is waited for: a database that does not answer must not turn a clean stop into a failure. */
const patienceMs = 11_500;
const shortestStopMs = 200;

export type ProcessContext = {
  config: Config;
  log: Logger;
  metrics: Metrics;
  health: Health;
  database: Database;
  wakeups: Wakeups;
  membership: Membership;
};

export type ProcessDefinition = {
  /** `api`, `relay`, `worker-classification`, ... */
  name: string;
  port: (config: Config) => number;
  portVariable: string;
  /**
   * A port for this one process's health and metrics. When the setting is there, `port` may be shared with others of the kind
   * (SO_REUSEPORT): the kernel spreads new connections over whoever listens, so probes of one process need another door.
   */
  ownPort?: { variable: string; of: (config: Config) => number | undefined };
  /** Facts about this process that operators see in the targets list. */
  status?: (config: Config) => Record<string, unknown>;
  /** Builds the parts; they are started in order and stopped in reverse. */
  compose: (context: ProcessContext) => Promise<{ components: Component[]; server?: Server }>;
};

/** Runs until told to stop. Never returns early; sets the exit code and ends the process itself. */
export async function runProcess(definition: ProcessDefinition): Promise<void> {
  let config: Config;
  try {
    config = loadConfig();
  } catch (error) {
    process.stderr.write(`${definition.name}: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(2);
  }
  const log = createLogger({ level: config.LOG_LEVEL, format: config.LOG_FORMAT, process: definition.name });
  const running: Component[] = [];
  let stopping: Promise<void> | undefined;
  const startAbort = new AbortController();

  const stop = (reason: string, exitCode: number): Promise<void> => {
    stopping ??= (async () => {
      log.info({ reason }, 'stopping');
      startAbort.abort();
      const deadline = setTimeout(() => {
        log.error(`not stopped within ${stopDeadlineMs} ms; leaving anyway`);
        process.exit(1);
      }, stopDeadlineMs);
      deadline.unref();
      const startedAt = performance.now();
      for (const component of running.toReversed()) {
        const leftMs = patienceMs - (performance.now() - startedAt);
        await stopWithin(
          component,
          Math.max(shortestStopMs, Math.min(component.stopLimitMs ?? defaultStopLimitMs, leftMs)),
          log,
        );
      }
      log.info('stopped');
      process.exit(exitCode);
    })();
    return stopping;
  };

  process.on('SIGTERM', () => void stop('SIGTERM', 0));
  process.on('SIGINT', () => void stop('SIGINT', 0));
  process.on('disconnect', () => void stop('the supervisor is gone', 0));
  // A supervisor that died while we were still loading sent its event to nobody.
  if (process.connected === false) void stop('the supervisor is gone', 0);
  process.on('unhandledRejection', (error) => {
    log.error({ err: error }, 'unhandled rejection');
    void stop('unhandled rejection', 1);
  });
  process.on('uncaughtException', (error) => {
    log.error({ err: error }, 'uncaught exception');
    void stop('uncaught exception', 1);
  });

  try {
    const { name } = definition;
    const tracing = await startTracing({ name, version: buildVersion, release: config.WORKER_RELEASE }, log);
    // The first to start is the last to stop: the others' last spans are to be handed over as well.
    if (tracing)
      running.push({
        ...{ name: 'tracing', start: () => Promise.resolve(), stop: tracing.stop },
        stopLimitMs: tracingStopLimitMs,
      });
    await startParts(definition, config, log, running, startAbort.signal);
  } catch (error) {
    if (startAbort.signal.aborted) return;
    if (isAppError(error)) log.error({ code: error.code }, error.message);
    else log.error({ err: error }, 'cannot start');
    await stop('start failed', isAppError(error, 'configuration-invalid') ? 2 : 1);
  }
}

/** What a part leaves undone is undone by others: its leases run out, its tasks are rescued, the server closes its connections. */
async function stopWithin(component: Component, limitMs: number, log: Logger): Promise<void> {
  const limit = new AbortController();
  const stopped = component.stop().then(
    () => true,
    (error: unknown) => {
      log.warn({ err: error }, `${component.name} did not stop cleanly`);
      return true;
    },
  );
  const tooLate = delay(limitMs, false, { signal: limit.signal }).catch(() => false);
  if (!(await Promise.race([stopped, tooLate])))
    log.warn({ limit_ms: Math.round(limitMs) }, `${component.name} did not stop in time; going on without it`);
  limit.abort();
}

async function startParts(
  definition: ProcessDefinition,
  config: Config,
  log: Logger,
  running: Component[],
  signal: AbortSignal,
): Promise<void> {
  const startComponent = async (component: Component): Promise<void> => {
    signal.throwIfAborted();
    running.push(component);
    await component.start();
  };
  const metrics = createMetrics({ version: buildVersion, release: config.WORKER_RELEASE, process: definition.name });
  const health = createHealth({ metrics, metricsToken: config.METRICS_TOKEN });
  let isStarted = false;
  health.addCheck({
    name: 'started',
    check: () => (isStarted ? Promise.resolve() : Promise.reject(new Error('starting'))),
  });

  const database = connectDatabase(config.DATABASE_URL, {
    poolMax: config.DATABASE_POOL_MAX,
    applicationName: `omnizap ${definition.name}`,
    silenceLimitMs: databaseSilenceLimitMs,
    observer: metrics.ofDatabase('catalogue'),
  });
  running.push({ name: 'database', start: () => Promise.resolve(), stop: () => database.close() });
  health.addCheck({ name: 'database', check: () => database.ping() });

  // Until the API's own server can be composed (it needs the database) a plain one answers probes: on the same port, or for good
  // on the process's own. A shared port is opened only when there is something to serve.
  const host = config.BIND_ADDRESS;
  const service = { port: definition.port(config), host, portVariable: definition.portVariable };
  const ownPort = definition.ownPort?.of(config);
  const probeServer = createHealthServer(health);
  const probePort =
    ownPort === undefined || !definition.ownPort
      ? await listen(probeServer, service)
      : await listenOnFirstFree(probeServer, { port: ownPort, host, portVariable: definition.ownPort.variable });
  running.push({ name: 'probe server', start: () => Promise.resolve(), stop: () => closeServer(probeServer) });

  await waitForSchema(database, log, signal);
  const wakeups = createWakeups({ queueUrl: config.QUEUE_DATABASE_URL, log });
  await startComponent({ name: 'wakeups', ...wakeups });

  const urlOf = (port: number): string => urlAt(config.ADVERTISE_ADDRESS ?? host, port);
  const url = urlOf(probePort);
  const status = {
    url,
    pid: process.pid,
    version: buildVersion,
    release: config.WORKER_RELEASE,
    ...definition.status?.(config),
  };
  const membership = createMembership(
    { store: createLeaseStore(database), log },
    { processName: definition.name, status },
  );
  await startComponent({ name: 'membership', start: membership.start, stop: membership.stop });

  const { components, server } = await definition.compose({
    config,
    log,
    metrics,
    health,
    database,
    wakeups,
    membership,
  });
  for (const component of components) await startComponent(component);
  let servicePort = probePort;
  if (server) {
    if (ownPort === undefined) await closeServer(probeServer);
    const isShared = ownPort !== undefined;
    servicePort = await listen(server, { ...service, port: isShared ? service.port : probePort, isShared });
    const sayGoodbye = prepareToClose(server);
    const stop = (): Promise<void> => closeServer(server, sayGoodbye);
    running.push({ name: 'http server', start: () => Promise.resolve(), stop, stopLimitMs: httpStopLimitMs });
  }
  const drain = (): Promise<void> => {
    health.drain();
    return Promise.resolve();
  };
  running.push({ name: 'readiness', start: () => Promise.resolve(), stop: drain });
  isStarted = true;
  log.info(servicePort === probePort ? { url } : { url: urlOf(servicePort), own_url: url }, 'ready');
  process.send?.({ type: 'ready', name: definition.name, url: urlOf(servicePort) });
  // pm2 knows this word only.
  process.send?.('ready');
}

function urlAt(address: string, port: number): string {
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
}
