/** Two API processes on one port: clients see one, operators see two. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort, startFleet, startLoad, waitFor } from '@omnizap/testkit';
import type { Fleet } from '@omnizap/testkit';

type Target = { targets: string[]; labels: Record<string, string> };

describe('two API processes with API_METRICS_PORT on one PORT', () => {
  let fleet: Fleet;
  let serviceUrl: string;
  const targets = async (): Promise<Target[]> =>
    (await (await fetch(`${serviceUrl}/api/ops/targets`)).json()) as Target[];

  beforeAll(async () => {
    const port = await freePort();
    serviceUrl = `http://127.0.0.1:${port}`;
    fleet = await startFleet('postgres', {
      processes: ['api', 'api'],
      env: { PORT: String(port), API_METRICS_PORT: '0' },
    });
  }, 120_000);
  afterAll(async () => await fleet?.stop(), 60_000);

  it('are listed one by one, and what one of them counted is found at one URL only', async () => {
    const urls = (await targets()).map(({ targets: hosts }) => `http://${hosts[0]}`);
    expect(new Set(urls).size).toBe(2);
    expect(urls).not.toContain(serviceUrl);

    // One request on a connection of its own is answered, and so counted, by one process.
    await fetch(`${serviceUrl}/api/sticker-packs/stats-of-nothing`, { headers: { connection: 'close' } });
    const counted = async (url: string): Promise<boolean> =>
      /omnizap_http_requests_total\{[^}]*status_class="4xx"[^}]*\} 1$/m.test(
        await (await fetch(`${url}/metrics`)).text(),
      );
    expect((await Promise.all(urls.map(counted))).filter(Boolean)).toHaveLength(1);
  });

  it('leave nothing else at the private door, and their health at both', async () => {
    const [target] = await targets();
    const own = `http://${target?.targets[0]}`;

    expect((await fetch(`${own}/api/sticker-packs`)).status).toBe(404);
    expect([(await fetch(`${own}/readyz`)).status, (await fetch(`${serviceUrl}/readyz`)).status]).toEqual([200, 200]);
  });

  it('lose no request of a client that keeps its connections when one of them stops', async () => {
    const load = startLoad(`${serviceUrl}/api/sticker-packs`, { kept: 8, fresh: 0 });
    await waitFor(() => load.counts().answered > 200);

    const { code } = await fleet.process('api').stop();
    const answeredBefore = load.counts().answered;
    await waitFor(() => load.counts().answered > answeredBefore + 200, { timeoutMs: 20_000 });
    const { failed } = await load.stop();

    expect(code).toBe(0);
    expect(failed).toEqual({});
    expect(await targets()).toHaveLength(1);
  });
});
