/**
 * /healthz, /readyz and /metrics of every process. Alive means that the process answers; ready means that it can do its job
 * now. A check that hangs counts as not ready, and its answer is kept for a second so that probes cost nothing.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { AppError } from './errors.ts';
import { mayReadMetrics, type Metrics } from './metrics.ts';

export type ReadinessCheck = { name: string; check: () => Promise<void> };

const checkTimeoutMs = 2_500;
const answerKeptMs = 1_000;

export type Health = {
  addCheck(check: ReadinessCheck): void;
  /** From now on not ready: a load balancer stops sending before we stop serving. */
  drain(): void;
  isDraining(): boolean;
  readiness(): Promise<{ isReady: boolean; failing: { check: string; reason: string }[] }>;
  /** Answers when the path is one of ours; false when it is somebody else's. */
  handle(request: IncomingMessage, response: ServerResponse): boolean;
};

export function createHealth(deps: { metrics: Metrics; metricsToken: string | undefined }): Health {
  const checks: ReadinessCheck[] = [];
  let isDraining = false;
  let kept: { at: number; answer: ReturnType<Health['readiness']> } | undefined;

  async function runCheck(entry: ReadinessCheck): Promise<{ check: string; reason: string } | null> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${checkTimeoutMs} ms`)), checkTimeoutMs);
    });
    try {
      await Promise.race([entry.check(), timeout]);
      return null;
    } catch (error) {
      return { check: entry.name, reason: error instanceof AppError ? error.message : describe(error) };
    } finally {
      clearTimeout(timer);
    }
  }

  async function evaluate(): ReturnType<Health['readiness']> {
    if (isDraining) return { isReady: false, failing: [{ check: 'draining', reason: 'The process is stopping.' }] };
    const results = await Promise.all(checks.map(runCheck));
    const failing = results.filter((result) => result !== null);
    return { isReady: failing.length === 0, failing };
  }

  function readiness(): ReturnType<Health['readiness']> {
    if (!kept || performance.now() - kept.at > answerKeptMs) kept = { at: performance.now(), answer: evaluate() };
    return kept.answer;
  }

  async function answerReadiness(response: ServerResponse): Promise<void> {
    const { isReady, failing } = await readiness();
    sendJson(response, isReady ? 200 : 503, { status: isReady ? 'ready' : 'not-ready', failing });
  }

  async function answerMetrics(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!mayReadMetrics(request, deps.metricsToken)) {
      sendJson(
        response,
        401,
        { status: 401, title: 'Authentication required', code: 'unauthorized' },
        'application/problem+json',
      );
      return;
    }
    const text = await deps.metrics.registry.metrics();
    response
      .writeHead(200, { 'Content-Type': deps.metrics.registry.contentType, 'Cache-Control': 'no-store' })
      .end(text);
  }

  return {
    addCheck: (check) => void checks.push(check),
    drain() {
      isDraining = true;
      kept = undefined;
    },
    isDraining: () => isDraining,
    readiness,
    handle(request, response) {
      const path = (request.url ?? '').split('?', 1)[0];
      if (path !== '/healthz' && path !== '/readyz' && path !== '/metrics') return false;
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        response.setHeader('Allow', 'GET, HEAD');
        sendJson(
          response,
          405,
          { status: 405, title: 'Method not allowed', code: 'method-not-allowed' },
          'application/problem+json',
        );
      } else if (path === '/healthz') {
        sendJson(response, 200, { status: 'alive' });
      } else {
        const answer = path === '/readyz' ? answerReadiness(response) : answerMetrics(request, response);
        answer.catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
      }
      return true;
    },
  };
}

/** A reason that names no host, user or statement: it is shown to anybody who can reach the port. */
function describe(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string'
    ? `failed (${code})`
    : error instanceof Error && error.message.startsWith('no answer')
      ? error.message
      : 'failed';
}

function sendJson(response: ServerResponse, status: number, body: unknown, type = 'application/json'): void {
  response
    .writeHead(status, { 'Content-Type': `${type}; charset=utf-8`, 'Cache-Control': 'no-store' })
    .end(JSON.stringify(body));
}

/** The small HTTP server of a process that serves nothing but its own health and metrics. */
export function createHealthServer(health: Health): Server {
  return createServer({ requestTimeout: 10_000, headersTimeout: 5_000, maxHeaderSize: 8_192 }, (request, response) => {
    if (!health.handle(request, response))
      sendJson(response, 404, { status: 404, title: 'Not found', code: 'not-found' }, 'application/problem+json');
  });
}
