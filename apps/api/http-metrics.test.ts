import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createMetrics } from '@omnizap/runtime';
import { waitFor } from '@omnizap/testkit';
import express from 'express';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { createHttpMetrics, setRouteGroup } from './http-metrics.ts';

/** Of the sockets on both sides: what is left keeps the answer unfinished. */
const largerThanBuffers = 64 * 2 ** 20;

describe('the metrics of requests', () => {
  const metrics = createMetrics({ version: '0', release: 'stable', process: 'api' });
  let now = 0;
  let server: Server;
  let isOpen = Promise.withResolvers<void>();

  beforeAll(async () => {
    const app = express();
    app.use(createHttpMetrics(metrics, 750, { now: () => now }));
    app.use((request, response) => {
      setRouteGroup(response, 'catalog_api_public');
      if (request.path === '/large') response.end(Buffer.alloc(largerThanBuffers));
      request.resume();
      isOpen.resolve();
    });
    server = createServer(app).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  const count = async (name: string, labels: string): Promise<number> => {
    const line = (await metrics.registry.metrics()).split('\n').find((text) => text.startsWith(`${name}{${labels}} `));
    return Number(line?.split(' ')[1] ?? 0);
  };
  const requests = (statusClass: string, method = 'GET'): Promise<number> =>
    count(
      'omnizap_http_requests_total',
      `route_group="catalog_api_public",method="${method}",status_class="${statusClass}"`,
    );
  /** Sends `text`, reads nothing of what comes back, and goes away `milliseconds` after the request has come. */
  async function giveUpAfter(milliseconds: number, text = 'GET /silent HTTP/1.1\r\nHost: here\r\n\r\n'): Promise<void> {
    isOpen = Promise.withResolvers<void>();
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => undefined);
    socket.pause().write(text);
    await isOpen.promise;
    now += milliseconds;
    socket.destroy();
  }

  it('begin to count the failures of a kind of request at 0, with the first request of that kind', async () => {
    const failures = async (): Promise<string[]> =>
      (await metrics.registry.metrics())
        .split('\n')
        .filter((line) => /^omnizap_http_requests_total.*(?:5xx|timeout)/.test(line));
    expect(await failures()).toEqual([]);
    await giveUpAfter(5);
    await waitFor(async () => (await requests('aborted')) === 1);
    const labels = 'route_group="catalog_api_public",method="GET"';
    expect(await failures()).toEqual(
      ['5xx', 'timeout'].map((failed) => `omnizap_http_requests_total{${labels},status_class="${failed}"} 0`),
    );
  });

  it('tell a client that went away from an answer that did not come within 10 s, which is a violation', async () => {
    const violations = (): Promise<number> =>
      count('omnizap_http_slo_violation_total', 'route_group="catalog_api_public",method="GET"');
    await giveUpAfter(700);
    await waitFor(async () => (await requests('aborted')) === 2);
    expect([await requests('timeout'), await violations()]).toEqual([0, 0]);

    await giveUpAfter(9_999);
    await waitFor(async () => (await requests('aborted')) === 3);
    await giveUpAfter(10_000);
    await waitFor(async () => (await requests('timeout')) === 1);

    expect([await requests('aborted'), await requests('2xx'), await violations()]).toEqual([3, 0, 2]);
  });

  it('do not blame us for a client that announces a body and does not send it', async () => {
    await giveUpAfter(10_000, 'POST /silent HTTP/1.1\r\nHost: here\r\nContent-Length: 10\r\n\r\n');
    await waitFor(async () => (await requests('aborted', 'POST')) === 1);
    await giveUpAfter(10_000, 'POST /silent HTTP/1.1\r\nHost: here\r\nContent-Length: 10\r\n\r\n0123456789');
    await waitFor(async () => (await requests('timeout', 'POST')) === 1);

    expect(await requests('aborted', 'POST')).toBe(1);
  });

  it('do not blame us for a client that does not read the answer', async () => {
    const [abortedBefore, timeoutsBefore] = [await requests('aborted'), await requests('timeout')];
    await giveUpAfter(10_000, 'GET /large HTTP/1.1\r\nHost: here\r\n\r\n');
    await waitFor(async () => (await requests('aborted')) === abortedBefore + 1);

    expect([await requests('timeout'), await requests('2xx')]).toEqual([timeoutsBefore, 0]);
  });
});
