/**
 * OpenTelemetry's SDK, loaded only where traces are to go somewhere: it takes a second to load. Everything about it is said by the
 * standard's variables. Traces are the first thing to be lost: an endpoint that is away, slow or wrong fails nothing and delays
 * nothing, and what does not fit into the SDK's bounded queue is dropped.
 */
import { DiagLogLevel, ROOT_CONTEXT, diag, isSpanContextValid, trace, type DiagLogger } from '@opentelemetry/api';
import type { Logger } from './log.ts';
import { createTraceSampler } from './trace-sampler.ts';
import { isTracingWanted, tracingObstacle } from './tracing-settings.ts';
import { setTracing } from './tracing.ts';

/** How long a stop waits for the last spans to be taken. */
export const tracingStopLimitMs = 1_500;
/** An endpoint that is away would be told of at every batch. */
const saidAgainMs = 60_000;

type TracedProcess = { name: string; version: string; release: string };

/** What the environment does not say itself: its OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES come before ours. */
export function resourceDefaults(environment: NodeJS.ProcessEnv, { name, version, release }: TracedProcess) {
  const said = new Set(
    (environment.OTEL_RESOURCE_ATTRIBUTES ?? '').split(',').map((pair) => pair.split('=', 1)[0]?.trim()),
  );
  if ((environment.OTEL_SERVICE_NAME ?? '').trim() !== '') said.add('service.name');
  const ours = {
    'service.name': `omnizap-${name}`,
    'service.namespace': 'omnizap',
    'service.version': version,
    'deployment.name': release,
  };
  return Object.fromEntries(Object.entries(ours).filter(([key]) => !said.has(key)));
}

/** Null when tracing is off, or cannot be started. `stop` hands over what is left; it never rejects. */
export async function startTracing(
  described: TracedProcess,
  log: Logger,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<{ stop: () => Promise<void> } | null> {
  if (!isTracingWanted(environment)) return null;
  const obstacle = tracingObstacle(environment);
  if (obstacle !== undefined) {
    log.warn({ reason: obstacle }, 'tracing could not be started; going on without it');
    return null;
  }
  try {
    const { startNodeSdk } = await import('@opentelemetry/sdk-node');
    const sdk = withDetectors(() =>
      startNodeSdk({
        // Its own words go to the console as they are; ours are set below.
        logLevel: 'none',
        resourceAttributes: resourceDefaults(environment, described),
        sampler: createTraceSampler(environment, (text) => log.warn(text)),
        metricReaders: [],
        logRecordProcessors: [],
      }),
    );
    if (!doesTrace()) {
      await sdk.shutdown();
      log.warn('tracing could not be started; going on without it. OTEL_* has a value that the SDK does not take');
      return null;
    }
    diag.setLogger(sayInLog(log), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
    setTracing(true);
    log.info('tracing is on');
    return {
      async stop() {
        setTracing(false);
        await sdk.shutdown().catch((error: unknown) => log.debug({ err: error }, 'the last traces were not taken'));
      },
    };
  } catch (error) {
    log.warn({ err: error }, 'tracing could not be started; going on without it');
    return null;
  }
}

/**
 * The SDK's own choice has the detector of the process in it: the command line and the account's name, in every export. It reads the
 * environment itself, and names of detectors are no option of it.
 */
function withDetectors<T>(start: () => T): T {
  const given = process.env.OTEL_NODE_RESOURCE_DETECTORS;
  if (given === undefined || given.trim() === '') process.env.OTEL_NODE_RESOURCE_DETECTORS = 'service,host';
  try {
    return start();
  } finally {
    if (given === undefined) delete process.env.OTEL_NODE_RESOURCE_DETECTORS;
    else process.env.OTEL_NODE_RESOURCE_DETECTORS = given;
  }
}

/** An SDK that could not be set up looks like one that was. Spans without it have no ids; one that never ends is seen by nobody. */
function doesTrace(): boolean {
  return isSpanContextValid(trace.getTracer('omnizap').startSpan('probe', {}, ROOT_CONTEXT).spanContext());
}

/**
 * What the SDK says about itself, as lines of ours: rarely, and of an error only its code and message. Its warnings repeat values
 * of variables, of which OTEL_EXPORTER_OTLP_HEADERS is a secret: they are counted, not repeated.
 */
function sayInLog(log: Logger): DiagLogger {
  let saidAt = -Infinity;
  const say = (reason?: string): void => {
    if (performance.now() - saidAt < saidAgainMs) return;
    saidAt = performance.now();
    log.warn(reason === undefined ? {} : { reason }, 'traces are not delivered as they should be; they may be missing');
  };
  const ignore = (): void => undefined;
  return {
    error: (text) => say(reasonOf(text)),
    warn: () => say(),
    ...{ info: ignore, debug: ignore, verbose: ignore },
  };
}

/** Errors come as JSON of their fields; anything else may quote a setting. */
function reasonOf(text: string): string | undefined {
  try {
    const { code, message } = JSON.parse(text) as { code?: unknown; message?: unknown };
    const parts = [code, message].filter((part) => typeof part === 'string' || typeof part === 'number');
    return parts.length === 0 ? undefined : parts.join(': ').slice(0, 200);
  } catch {
    return undefined;
  }
}
