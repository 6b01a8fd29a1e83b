/** Faults of a running fleet, as Prometheus and Alertmanager tell them: with the committed rules, in which two minutes pass in four seconds. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { MonitoringInstallation } from '@omnizap/embedded';
import {
  createCatalogueClient,
  createTestDatabase,
  drawPng,
  registerProcess,
  startBadNetwork,
  startFleet,
  startLoad,
  waitFor,
  type BadNetwork,
  type Fleet,
  type Load,
} from '@omnizap/testkit';
import { startMonitoring, type Monitoring } from '../live/start-monitoring.ts';

const timeScale = 30;
/** A lease runs out after 6 s, the leader counts every 15 s, and the longest wait of a rule here is 20 s. */
const patience = { timeoutMs: 120_000, intervalMs: 500 };
/** So long nothing else may come: half an hour and more of the rules' time. */
const quietMs = 20_000;

describe('the alerts of a fleet', () => {
  let network: BadNetwork;
  let fleet: Fleet;
  let monitoring: Monitoring;
  let load: Load;
  let folder: string;
  let forget: (() => void)[];

  beforeAll(async () => {
    const database = await createTestDatabase('mysql');
    const server = new URL(database.databaseUrl);
    network = await startBadNetwork({ host: server.hostname, port: Number(server.port) });
    server.port = String(network.port);
    fleet = await startFleet('mysql', { database, env: { DATABASE_URL: server.href } });
    const own = createCatalogueClient(fleet.apiUrl, (await fleet.createOwner()).key);
    const packKey = await own.createPack({ name: 'Watched' });
    await own.addStickers(
      packKey,
      Array.from({ length: 3 }, (_, index) => ({ bytes: drawPng(40 + index), emojis: ['🙂'] })),
    );
    await own.publish(packKey);
    load = startLoad([`${fleet.apiUrl}/api/sticker-packs`, `${fleet.apiUrl}/api/sticker-packs/${packKey}`], {
      ...{ kept: 4, fresh: 0, restMs: 200 },
    });
    folder = await mkdtemp(path.join(tmpdir(), 'omnizap watched '));
    const installation = JSON.parse(process.env.OMNIZAP_TEST_MONITORING ?? 'null') as MonitoringInstallation;
    monitoring = await startMonitoring({ installation, folder, apiUrl: fleet.apiUrl, timeScale });
    forget = monitoring.processes.map(({ name, pid }) => registerProcess(pid, name));
    await waitFor(async () => (await monitoring.targets()).filter(({ isUp }) => isUp).length === 6, {
      ...patience,
      description: 'every process to be scraped',
    });
  }, 180_000);
  afterAll(async () => {
    await load?.stop();
    await monitoring?.stop();
    for (const one of forget ?? []) one();
    await fleet?.stop();
    await network?.close();
    if (folder) await rm(folder, { recursive: true, force: true });
  }, 60_000);

  const sent = async (): Promise<string[]> => (await monitoring.alerts()).sent;
  const waitForAlerts = (names: string[]): Promise<unknown> =>
    waitFor(
      async () => {
        const now = await sent();
        if (now.join() === names.join()) return true;
        throw new Error(`now: ${now.join(', ') || 'none'}`);
      },
      { ...patience, description: `these alerts alone: ${names.join(', ') || 'none'}` },
    );
  /** Every second for a while. */
  async function expectOnly(names: string[]): Promise<void> {
    const endsAt = performance.now() + quietMs;
    const seen = new Set<string>();
    await waitFor(
      async () => {
        for (const name of await sent()) seen.add(name);
        return performance.now() > endsAt;
      },
      { timeoutMs: quietMs + 10_000, intervalMs: 500, description: 'a while to pass' },
    );
    expect([...seen].toSorted()).toEqual(names);
    expect(await sent()).toEqual(names);
  }

  it('are silent while it is healthy', async () => {
    await waitForAlerts([]);
    await expectOnly([]);
    expect((await monitoring.rules()).filter(({ health }) => health !== 'ok')).toEqual([]);
  }, 200_000);

  it('name a type of worker that is gone, and nothing that follows from it', async () => {
    await fleet.kill(fleet.process('worker-curation'));
    await waitForAlerts(['WorkerTypeDown']);
    await expectOnly(['WorkerTypeDown']);

    await fleet.start('worker-curation');
    await waitForAlerts([]);
  }, 400_000);

  it('name the relay that has stopped, and nothing that follows from it', async () => {
    process.kill(fleet.process('relay').pid, 'SIGSTOP');
    await waitForAlerts(['RelayDown']);
    await expectOnly(['RelayDown']);

    process.kill(fleet.process('relay').pid, 'SIGCONT');
    await waitForAlerts([]);
  }, 400_000);

  it('name the database that has become slow, and nothing that follows from it', async () => {
    network.slow(600);
    await waitForAlerts(['DatabaseQueriesSlow']);
    await expectOnly(['DatabaseQueriesSlow']);

    network.slow(0);
    await waitForAlerts([]);
  }, 400_000);
});
