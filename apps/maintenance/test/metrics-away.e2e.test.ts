/**
 * Scrapes while the databases are away: one fleet's are stopped as far as anybody can tell, those of the other hang behind a network
 * that drops everything. Every process answers at once, and the leader leaves out what it has not read for a minute.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  ask,
  createTestDatabase,
  startBadNetwork,
  startFleet,
  testDatabaseKinds,
  waitFor,
  type BadNetwork,
  type Fleet,
} from '@omnizap/testkit';

/** A busy machine is slow, a database that is waited for is slower: the shortest of the waits of a process is 2 s. */
const promptMs = 1_500;
const figures =
  /^omnizap_(queue_depth|queue_oldest_age_seconds|processes|database_(size_bytes|connections|lock_waits))\{/m;

describe('scrapes while the databases are away', () => {
  const fleets: { kind: string; fleet: Fleet; networks: BadNetwork[] }[] = [];

  beforeAll(async () => {
    for (const kind of testDatabaseKinds()) {
      const database = await createTestDatabase(kind);
      const networks: BadNetwork[] = [];
      const behind = new Map<string, string>();
      for (const address of new Set([database.databaseUrl, database.queueUrl])) {
        const url = new URL(address);
        const network = await startBadNetwork({ host: url.hostname, port: Number(url.port) });
        networks.push(network);
        [url.hostname, url.port] = ['127.0.0.1', String(network.port)];
        behind.set(address, url.href);
      }
      const [databaseUrl = '', queueUrl = ''] = [database.databaseUrl, database.queueUrl].map((address) =>
        behind.get(address),
      );
      fleets.push({
        kind,
        networks,
        fleet: await startFleet(kind, { database: { ...database, databaseUrl, queueUrl } }),
      });
    }
  }, 300_000);
  afterAll(async () => {
    for (const { fleet, networks } of fleets) {
      await fleet.stop();
      for (const network of networks) await network.close();
    }
  }, 120_000);

  const scrape = async (url: string): Promise<string> => (await ask(`${url}/metrics`)).bytes.toString('utf8');
  const refreshedAt = (text: string): string | undefined =>
    /^omnizap_gauges_refreshed_timestamp_seconds (\S+)$/m.exec(text)?.[1];
  const cut = (kind: string, networks: BadNetwork[], isOn: boolean): void => {
    for (const network of networks) (kind === 'postgres' ? network.refuse : network.drop)(isOn);
  };

  it('are answered at once, and after a minute without what the leader last read', async () => {
    const before = new Map<string, string | undefined>();
    for (const { kind, fleet } of fleets) {
      const { url } = fleet.process('maintenance');
      const read = async (): Promise<string | false> => {
        const text = await scrape(url);
        return refreshedAt(text) !== undefined && text;
      };
      const text = await waitFor(read, { timeoutMs: 60_000, description: `figures of ${kind}` });
      expect(text).toMatch(figures);
    }
    for (const { kind, networks } of fleets) cut(kind, networks, true);
    const cutAt = performance.now();
    for (const { kind, fleet } of fleets) before.set(kind, refreshedAt(await scrape(fleet.process('maintenance').url)));

    for (const { kind, fleet } of fleets) {
      await waitFor(async () => (await ask(`${fleet.process('maintenance').url}/readyz`)).status === 503);
      for (const { name, process } of fleet.all()) {
        const askedAt = performance.now();
        const text = await scrape(process.url);
        const isPrompt = performance.now() - askedAt < promptMs;
        expect([kind, name, isPrompt, text.includes('omnizap_build_info{')]).toEqual([kind, name, true, true]);
      }
    }
    for (const { kind, fleet } of fleets) {
      const { url } = fleet.process('maintenance');
      const text = await waitFor(
        async () => {
          const now = await scrape(url);
          return !figures.test(now) && now;
        },
        { timeoutMs: 90_000, description: `an answer without the figures of ${kind}` },
      );
      expect([kind, refreshedAt(text)]).toEqual([kind, before.get(kind)]);
    }
    // Not at once: an outage of seconds is no reason for holes in every picture.
    expect(performance.now() - cutAt).toBeGreaterThan(40_000);
  }, 240_000);

  it('have the figures again when the databases are back', async () => {
    for (const { kind, networks } of fleets) cut(kind, networks, false);
    for (const { kind, fleet } of fleets) {
      const { url } = fleet.process('maintenance');
      await waitFor(async () => figures.test(await scrape(url)), {
        timeoutMs: 90_000,
        description: `figures of ${kind} again`,
      });
    }
  }, 200_000);
});
