import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { Server } from 'node:http';
import { createHealth, createHealthServer, type Health } from './health.ts';
import { listen } from './listen.ts';
import { createMetrics } from './metrics.ts';

const servers: Server[] = [];
afterEach(async () => {
  jest.useRealTimers();
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

const newHealth = (metricsToken?: string): Health =>
  createHealth({ metrics: createMetrics({ version: '1.2.3', release: 'stable', process: 'test' }), metricsToken });

async function serve(health: Health): Promise<string> {
  const server = createHealthServer(health);
  servers.push(server);
  const port = await listen(server, { port: 0, host: '127.0.0.1', portVariable: 'PORT' });
  return `http://127.0.0.1:${port}`;
}

describe('readiness', () => {
  it('is given while every check passes, and says which one does not', async () => {
    const health = newHealth();
    health.addCheck({ name: 'database', check: () => Promise.resolve() });
    const url = await serve(health);
    const before = await fetch(`${url}/readyz`);
    const failing = newHealth();
    failing.addCheck({ name: 'database', check: () => Promise.resolve() });
    failing.addCheck({
      name: 'queue',
      check: () => Promise.reject(Object.assign(new Error('user x at host y'), { code: 'ECONNREFUSED' })),
    });
    const after = await fetch(`${await serve(failing)}/readyz`);

    expect([before.status, await before.json()]).toEqual([200, { status: 'ready', failing: [] }]);
    expect([after.status, await after.json()]).toEqual([
      503,
      { status: 'not-ready', failing: [{ check: 'queue', reason: 'failed (ECONNREFUSED)' }] },
    ]);
  });

  it('ends with draining, at once and although the last answer is kept for a second', async () => {
    const health = newHealth();
    const url = await serve(health);
    const before = await fetch(`${url}/readyz`);

    health.drain();

    expect(before.status).toBe(200);
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  it('takes a check that hangs for a failed one', async () => {
    jest.useFakeTimers();
    const health = newHealth();
    health.addCheck({ name: 'database', check: () => Promise.withResolvers<void>().promise });

    const answer = health.readiness();
    await jest.advanceTimersByTimeAsync(3_000);

    expect(await answer).toEqual({
      isReady: false,
      failing: [{ check: 'database', reason: 'no answer within 2500 ms' }],
    });
  });

  it('asks the checks at most once a second', async () => {
    jest.useFakeTimers();
    let asked = 0;
    const health = newHealth();
    health.addCheck({ name: 'counting', check: async () => void (asked += 1) });

    for (let probe = 0; probe < 10; probe += 1) await health.readiness();
    jest.advanceTimersByTime(1_001);
    await health.readiness();

    expect(asked).toBe(2);
  });
});

describe('/metrics', () => {
  it('is open to the loopback when there is no token, never to a forwarded request', async () => {
    const url = await serve(newHealth());

    const direct = await fetch(`${url}/metrics`);
    const forwarded = await fetch(`${url}/metrics`, { headers: { 'x-forwarded-for': '127.0.0.1' } });

    expect(direct.status).toBe(200);
    expect(await direct.text()).toContain('omnizap_build_info{version="1.2.3",release="stable",process="test"} 1');
    expect([forwarded.status, forwarded.headers.get('content-type')]).toEqual([
      401,
      'application/problem+json; charset=utf-8',
    ]);
  });

  it('asks everybody for the token when there is one', async () => {
    const url = await serve(newHealth('a-token-of-16-chars'));
    const statusWith = async (headers: Record<string, string>): Promise<number> =>
      (await fetch(`${url}/metrics`, { headers })).status;

    expect(await statusWith({})).toBe(401);
    expect(await statusWith({ authorization: 'Bearer another-one' })).toBe(401);
    expect(await statusWith({ authorization: 'Bearer a-token-of-16-chars' })).toBe(200);
  });
});

describe('createHealthServer', () => {
  it('knows three paths, and only reads', async () => {
    const url = await serve(newHealth());

    const elsewhere = await fetch(`${url}/else`);
    const written = await fetch(`${url}/healthz`, { method: 'POST' });

    expect(elsewhere.status).toBe(404);
    expect([written.status, written.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });
});
