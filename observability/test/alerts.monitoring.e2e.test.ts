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
import type { Told } from '../live/start-receiver.ts';
import { alerts } from '../slo.ts';

const timeScale = 30;
/** A lease runs out after 6 s, the leader counts every 15 s, and the longest wait of a rule here is 20 s. */
const patience = { timeoutMs: 120_000, intervalMs: 500 };
/** So long nothing else may come: half an hour and more of the rules' time. */
const quietMs = 20_000;

type Fault = { begin: () => unknown; end: () => unknown };

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
    // The leader may have looked before the others had started, and at this time scale ApiDown waits for no second look.
    await waitFor(async () => (await monitoring.query('max by (process) (omnizap_processes) > 0')).length === 6, {
      ...patience,
      description: 'every process to be counted',
    });
  }, 180_000);
  afterAll(async () => {
    await load?.stop();
    await monitoring?.stop();
    for (const one of forget ?? []) one();
    try {
      await fleet?.stop();
    } finally {
      await network?.close();
    }
    if (folder) await rm(folder, { recursive: true, force: true });
  }, 60_000);

  const loud = async (): Promise<string[]> => (await monitoring.alerts()).loud;
  const isOfBudgets = (name: string): boolean =>
    alerts.some((alert) => alert.name === name && alert.group === 'error-budget');
  const waitForAlerts = (names: string[], others: string[] = []): Promise<unknown> =>
    waitFor(
      async () => {
        const now = (await loud()).filter((name) => !others.includes(name));
        if (now.join() === names.join()) return true;
        throw new Error(`now: ${now.join(', ') || 'none'}`);
      },
      { ...patience, description: `these alerts alone: ${names.join(', ') || 'none'}` },
    );
  /** Twice a second for a while. */
  async function expectOnly(names: string[]): Promise<void> {
    const endsAt = performance.now() + quietMs;
    const seen = new Set<string>();
    await waitFor(
      async () => {
        for (const name of await loud()) seen.add(name);
        return performance.now() > endsAt;
      },
      { timeoutMs: quietMs + 10_000, intervalMs: 500, description: 'a while to pass' },
    );
    expect([...seen].toSorted()).toEqual(names);
    expect(await loud()).toEqual(names);
  }
  /** Names of the alerts that somebody was told of since that many messages, or was told that they are over. */
  const toldSince = (count: number, wanted: Told['status']): string[] => {
    const news = monitoring.told().slice(count);
    return [...new Set(news.filter(({ status }) => status === wanted).map(({ alert }) => alert))];
  };
  /**
   * While the fault lasts that alert is the only one that is active; somebody is told of it, and that it is over. Of what follows
   * from it they may be told as well, but only before it is known and after its end: some symptoms wait for a shorter time than
   * their cause does, neither leases nor the leader's looks come sooner at a time scale, and budgets remember.
   */
  async function expectAlert(name: string, { begin, end }: Fault): Promise<void> {
    const symptoms = alerts
      .filter(({ inhibitedBy }) => inhibitedBy.some(({ alert }) => alert === name))
      .map((alert) => alert.name);
    const before = monitoring.told().length;
    const told = (): string[] => toldSince(before, 'firing').filter((alert) => !symptoms.includes(alert));
    try {
      await begin();
      await waitForAlerts([name]);
      await expectOnly([name]);
      expect(told()).toEqual([name]);
    } finally {
      await end();
    }
    // A budget that was spent meanwhile is told of for as long as its window, which at this time scale is twelve minutes.
    await waitForAlerts([], symptoms.filter(isOfBudgets));
    await waitFor(() => toldSince(before, 'resolved').includes(name), {
      ...patience,
      description: `word that ${name} is over`,
    });
    expect(told()).toEqual([name]);
  }

  it('are silent while it is healthy', async () => {
    await waitForAlerts([]);
    const before = monitoring.told().length;
    await expectOnly([]);
    expect(toldSince(before, 'firing')).toEqual([]);
    expect((await monitoring.rules()).filter(({ health }) => health !== 'ok')).toEqual([]);
  }, 200_000);

  it('name a type of worker that is gone, and nothing that follows from it', async () => {
    await expectAlert('WorkerTypeDown', {
      begin: async () => await fleet.kill(fleet.process('worker-curation')),
      end: async () => await fleet.start('worker-curation'),
    });
  }, 400_000);

  it('name the relay that has stopped, and nothing that follows from it', async () => {
    const { pid } = fleet.process('relay');
    await expectAlert('RelayDown', {
      begin: () => process.kill(pid, 'SIGSTOP'),
      end: () => process.kill(pid, 'SIGCONT'),
    });
  }, 400_000);

  it('name the database that has become slow, and nothing that follows from it', async () => {
    await expectAlert('DatabaseQueriesSlow', { begin: () => network.slow(600), end: () => network.slow(0) });
  }, 400_000);
});
