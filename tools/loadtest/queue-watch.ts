/**
 * What the load leaves to the workers: depth of the queues before it, at most during it, and how long after its end they are back to
 * normal. Read from the metrics of the maintenance process that leads, which the API names. What cannot be read is not known, which is
 * no failure of the target.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parseMetrics } from '@omnizap/rollout';
import { z } from 'zod';
import { NotOnTargetError, type TargetClient } from './ask-target.ts';
import type { Answer } from './discover-catalogue.ts';

/** Work that somebody waits for; failed and dead work is not worked off by waiting. */
const watched = [
  'sticker_worker_tasks_pending',
  'sticker_worker_tasks_processing',
  'domain_event_outbox_pending',
  'domain_event_outbox_processing',
] as const;
const depth = 'omnizap_queue_depth';
const refreshed = 'omnizap_gauges_refreshed_timestamp_seconds';
const pollMs = 2_000;
/** A fleet that serves has always something in hand: so much more than before is normal. */
const normalSlack = 10;
/** How old the gauges may be when they do not say so: maintenance reads them every 15 s. */
const gaugeAgeSeconds = 16;

const targetsSchema = z.array(
  z.object({ targets: z.array(z.string()), labels: z.looseObject({ process: z.string(), version: z.string() }) }),
);

export type QueueReport = {
  /** Why there are no figures; null when there are. */
  unknown: string | null;
  before: Record<string, number>;
  peak: Record<string, number>;
  after: Record<string, number>;
  depth_before: number;
  depth_peak: number;
  depth_after: number;
  /** Null: it was not back to normal in the time given, or nobody waited. */
  recovery_seconds: number | null;
  recovery_limit_seconds: number;
  samples: { at_seconds: number; depth: number }[];
};

export type QueueWatch = {
  /** Begins to count from here; call when the load begins. */
  start: () => void;
  /** Waits until the queues are back to normal, at most `limitSeconds`; call when the load has ended. */
  finish: (limitSeconds: number, onWait: (depth: number, seconds: number) => void) => Promise<QueueReport>;
  /** The version that the target states; null when it does not say. */
  version: string | null;
};

type Ask = (url: string) => Promise<Answer>;
type Depths = Record<string, number>;
type Reading = {
  depths: Depths;
  /** Tells two readings of the tables apart; null when the process does not say. */
  refreshedAt: number | null;
};

/** Never throws: a target without these figures is one whose queues are not known. */
export async function createQueueWatch(
  client: Pick<TargetClient, 'ask' | 'askProcess'>,
  { metricsToken, signal }: { metricsToken: string | undefined; signal: AbortSignal },
): Promise<QueueWatch> {
  const askApi = withToken(client.ask, metricsToken);
  const askProcess = withToken(client.askProcess, metricsToken);
  const found = await findProcesses(askApi);
  const samples: { at_seconds: number; depth: number }[] = [];
  let { maintenance, unknown } = found;
  let leader: string | null = null;
  let startedAt = performance.now();
  let peak: Depths = {};
  const loadEnds = new AbortController();
  let sampling: Promise<void> = Promise.resolve();

  /** A process that was started again listens elsewhere, and the list says where. */
  async function readDepths(): Promise<Reading | null> {
    const reading = await readLeader();
    if (reading !== null) return reading;
    const again = await findProcesses(askApi);
    if (again.maintenance.every((url) => maintenance.includes(url))) return null;
    maintenance = again.maintenance;
    return await readLeader();
  }

  /** The leadership may move: whoever has the figures leads. */
  async function readLeader(): Promise<Reading | null> {
    const order = [...maintenance].sort((a) => (a === leader ? -1 : 1));
    for (const url of order) {
      const { status, text } = await askProcess(url).catch((error: Error) => {
        if (error instanceof NotOnTargetError) unknown = error.message;
        return { status: 0, text: '' };
      });
      if (isRefusal({ status })) unknown = `${url} asks for METRICS_TOKEN`;
      const reading = status === 200 ? readingOf(text) : null;
      if (reading === null) continue;
      leader = url;
      return reading;
    }
    return null;
  }

  async function sample(): Promise<Reading | null> {
    const reading = await readDepths();
    if (reading === null) return null;
    for (const [queue, depth] of Object.entries(reading.depths)) peak[queue] = Math.max(peak[queue] ?? 0, depth);
    samples.push({ at_seconds: round((performance.now() - startedAt) / 1_000), depth: sumOf(reading.depths) });
    return reading;
  }

  /** One after the other: a target that is slow to answer is not asked twice at once. */
  async function sampleUntil(end: AbortSignal): Promise<void> {
    while (!end.aborted) {
      await delay(pollMs, undefined, { signal: end, ref: false }).catch(() => undefined);
      if (!end.aborted) await sample();
    }
  }

  const before = unknown === null ? ((await readDepths())?.depths ?? null) : null;
  if (before === null) unknown ??= 'no maintenance process answers with the depth of the queues';

  return {
    version: found.version,
    start() {
      if (before === null) return;
      startedAt = performance.now();
      peak = { ...before };
      sampling = sampleUntil(loadEnds.signal);
    },
    async finish(limitSeconds, onWait) {
      loadEnds.abort();
      await sampling;
      const empty = { before: {}, peak: {}, after: {}, depth_before: 0, depth_peak: 0, depth_after: 0 };
      const common = { recovery_limit_seconds: limitSeconds, samples };
      if (before === null) return { unknown, ...empty, ...common, recovery_seconds: null };
      const normal = sumOf(before) + normalSlack;
      const endedAt = performance.now();
      const atEnd = await sample();
      let last = atEnd;
      let recoverySeconds: number | null = null;
      for (let reading = atEnd; limitSeconds > 0; reading = await sample()) {
        const seconds = (performance.now() - endedAt) / 1_000;
        last = reading ?? last;
        const depth = reading === null ? null : sumOf(reading.depths);
        // Gauges are some seconds old: only what was read after the end says how it is then.
        const [first, latest] = [atEnd?.refreshedAt ?? null, reading?.refreshedAt ?? null];
        const isFresh = first === null || latest === null ? seconds >= gaugeAgeSeconds : latest !== first;
        if (depth !== null && depth <= normal && isFresh) {
          recoverySeconds = Math.max(...samples.map((one) => one.depth)) > normal ? round(seconds) : 0;
          break;
        }
        if (seconds >= limitSeconds || signal.aborted) break;
        onWait(depth ?? sumOf(last?.depths ?? before), seconds);
        await delay(pollMs, undefined, { signal }).catch(() => undefined);
      }
      last = (await readDepths()) ?? last;
      if (last === null)
        return {
          unknown: unknown ?? 'no maintenance process has answered since the end of the load',
          ...empty,
          ...common,
          recovery_seconds: null,
        };
      const after = last.depths;
      return {
        unknown: null,
        before,
        peak,
        after,
        depth_before: sumOf(before),
        depth_peak: Math.max(sumOf(before), ...samples.map(({ depth }) => depth)),
        depth_after: sumOf(after),
        recovery_seconds: recoverySeconds,
        ...common,
      };
    },
  };
}

/** The token goes only to who asks for it: what answers at an address need not be the fleet. */
function withToken(ask: TargetClient['askProcess'], metricsToken: string | undefined): Ask {
  const headers: Record<string, string> = metricsToken === undefined ? {} : { authorization: `Bearer ${metricsToken}` };
  const askers = new Set<string>();
  return async (url) => {
    const answer = await ask(url, askers.has(url) ? headers : {});
    if (metricsToken === undefined || askers.has(url) || !isRefusal(answer)) return answer;
    askers.add(url);
    return await ask(url, headers);
  };
}

const isRefusal = ({ status }: { status: number }): boolean => status === 401 || status === 403;

async function findProcesses(
  ask: Ask,
): Promise<{ maintenance: string[]; version: string | null; unknown: string | null }> {
  const { status, text } = await ask('/api/ops/targets').catch(() => ({ status: 0, text: '' }));
  if (isRefusal({ status }))
    return { maintenance: [], version: null, unknown: '/api/ops/targets asks for METRICS_TOKEN' };
  let targets: z.infer<typeof targetsSchema>;
  try {
    targets = targetsSchema.parse(JSON.parse(text));
  } catch {
    return { maintenance: [], version: null, unknown: `/api/ops/targets does not list processes (${status})` };
  }
  const of = (process: string): string[] =>
    targets.filter(({ labels }) => labels.process === process).flatMap((target) => target.targets);
  const maintenance = of('maintenance').map((host) => `http://${host}/metrics`);
  return {
    maintenance,
    version: targets.find(({ labels }) => labels.process === 'api')?.labels.version ?? null,
    unknown: maintenance.length === 0 ? 'there is no maintenance process' : null,
  };
}

/** Null when this process does not lead. */
function readingOf(text: string): Reading | null {
  const depths: Depths = {};
  let refreshedAt: number | null = null;
  for (const { name, labels, value } of parseMetrics(text, (series) => series === depth || series === refreshed)) {
    if (name === refreshed) refreshedAt = value;
    else if ((watched as readonly (string | undefined)[]).includes(labels.queue)) depths[labels.queue ?? ''] = value;
  }
  return Object.keys(depths).length === 0 ? null : { depths, refreshedAt };
}

const sumOf = (depths: Depths): number => Object.values(depths).reduce((sum, depth) => sum + depth, 0);
const round = (seconds: number): number => Math.round(seconds * 10) / 10;
