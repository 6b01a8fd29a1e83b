/** The part of the load test that sends, against servers that show what it does when things go wrong. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it } from '@jest/globals';
import { waitFor } from '@omnizap/testkit';
import { createSeededRandom } from '../simulation/seeded-random.ts';
import { createRequestEngine, errorKind, type EngineOptions } from './request-engine.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function engineFor(answer: RequestListener, options: Pick<EngineOptions, 'model'> & Partial<EngineOptions>) {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const requests = [{ method: 'GET', path: '/a' } as const];
  return createRequestEngine({
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    target: { address: '127.0.0.1', family: 4 },
    worker: 0,
    workers: 1,
    connections: 10,
    warmupMs: 0,
    durationMs: 600_000,
    timeoutMs: 60_000,
    slices: 1,
    groups: [{ label: 'a', weight: 1, requests, isSkewed: false }],
    random: createSeededRandom(1),
    ...options,
  });
}

const closed = (concurrency: number): EngineOptions['model'] => ({ kind: 'closed', concurrency });
const open = (ratePerSecond: number): EngineOptions['model'] => ({ kind: 'open', ratePerSecond, arrivals: 'even' });

describe('the engine', () => {
  it.each([
    ['closed', closed(3)],
    ['open', open(100)],
  ])('counts what is under way when it is stopped as open for at least so long (%s)', async (_name, model) => {
    let asked = 0;
    const engine = await engineFor(() => (asked += 1), { model });
    const running = engine.run();
    await waitFor(() => asked >= 3, { timeoutMs: 30_000, description: 'three requests under way' });
    engine.stop();
    await running;
    const { requests, byStatus, errors, success, latency } = engine.tally();
    expect(requests).toBeGreaterThanOrEqual(3);
    expect(byStatus).toEqual({ open: requests });
    expect({ errors, success, latencies: latency.count() }).toEqual({ errors: 0, success: 0, latencies: requests });
  });

  it.each([429, 503])('lets a client rest that was answered with %i', async (status) => {
    let asked = 0;
    const engine = await engineFor(
      (_request, response) => {
        asked += 1;
        response.writeHead(status).end();
      },
      { model: closed(1), durationMs: 1_000 },
    );
    await engine.run();
    expect(asked).toBeGreaterThan(1);
    expect(asked).toBeLessThanOrEqual(11);
  });

  it('holds only so many open requests, and counts the others as unsent', async () => {
    let asked = 0;
    const options = { model: open(1_000), durationMs: 500, timeoutMs: 1_000, mostOpen: 50 };
    const engine = await engineFor(() => (asked += 1), options);
    await engine.run();
    const { requests, errors, unsent, byError, latency } = engine.tally();
    expect(requests).toBe(500);
    expect({ errors, byError }).toEqual({ errors: 500, byError: { timeout: 50, unsent: 450 } });
    // Of the 50 that were open some had a connection.
    expect(unsent).toBeGreaterThanOrEqual(450);
    expect(asked).toBe(500 - unsent);
    // As if they had timed out.
    expect(latency.percentile(1)).toBeGreaterThan(990);
  });

  it('can be stopped while it cannot keep up', async () => {
    const engine = await engineFor((_request, response) => void response.end(), {
      model: open(50_000_000),
      durationMs: 5_000,
      mostOpen: 100,
    });
    const running = engine.run();
    setTimeout(() => engine.stop(), 20);
    await running;
    expect(engine.tally().requests).toBeLessThan(50_000_000);
  });

  it('keeps nothing of a request that has ended', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    let asked = 0;
    const engine = await engineFor(
      (_request, response) => {
        asked += 1;
        response.end();
      },
      { model: closed(10) },
    );
    const heapAfter = async (requests: number): Promise<number> => {
      await waitFor(() => asked >= requests, { timeoutMs: 60_000, description: `${requests} requests` });
      collect();
      return process.memoryUsage().heapUsed;
    };
    const running = engine.run();
    const before = await heapAfter(4_000);
    const after = await heapAfter(20_000);
    engine.stop();
    await running;
    expect((after - before) / 16_000).toBeLessThan(150);
  });

  it.each([
    ['EMFILE', 'generator'],
    ['EADDRNOTAVAIL', 'generator'],
    ['ECONNREFUSED', 'connect'],
    ['ECONNRESET', 'reset'],
    ['UND_ERR_CONNECT_TIMEOUT', 'timeout'],
  ])('tells what the target did wrong from what its own machine lacks: %s', (code, kind) => {
    expect(errorKind(Object.assign(new Error(code), { code }))).toBe(kind);
  });
});
