/** A database that is away for a minute ends no process; the work goes on by itself soon after it is back. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort, isProcessAlive, locateMariadb, startEmbeddedPostgres, startMariadb } from '@omnizap/embedded';
import {
  ask,
  createCatalogueClient,
  drawPng,
  startFleet,
  testDatabaseKinds,
  waitFor,
  type CatalogueClient,
  type Fleet,
  type TestDatabase,
} from '@omnizap/testkit';
import mysql from 'mysql2/promise';

const outageMs = 60_000;
const backWithinMs = 10_000;
/** For what a busy test machine adds to a start: never part of what is measured. */
const patience = { timeoutMs: 90_000, intervalMs: 100 };

type Server = { stop: (options?: { hurry?: boolean }) => Promise<void> };

describe.each(testDatabaseKinds())('a minute without %s', (kind) => {
  let folder: string;
  let postgres: (Server & { url: string }) | undefined;
  let mariadb: (Server & { url: string }) | undefined;
  let ports: { postgres: number; mariadb: number };
  let fleet: Fleet;
  let own: CatalogueClient;

  async function startServers(): Promise<void> {
    postgres = await startEmbeddedPostgres({ dataDir: path.join(folder, 'postgres'), port: ports.postgres });
    if (kind !== 'mysql') return;
    const cacheDir = path.resolve(import.meta.dirname, '../../../.cache/mariadb');
    const installation = await locateMariadb({ cacheDir, log: () => undefined });
    if (!installation) throw new Error('MariaDB was there a moment ago');
    const dataDir = path.join(folder, 'mariadb');
    mariadb = await startMariadb({ installation, dataDir, port: ports.mariadb, durable: true });
  }

  async function stopServers(): Promise<void> {
    await Promise.all([postgres?.stop({ hurry: true }), mariadb?.stop({ hurry: true })]);
  }

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'omnizap-outage-'));
    ports = { postgres: await freePort(), mariadb: await freePort() };
    await startServers();
    if (mariadb) {
      const connection = await mysql.createConnection(mariadb.url);
      await connection.query('CREATE DATABASE outage CHARACTER SET utf8mb4 COLLATE utf8mb4_bin');
      await connection.end();
    }
    const queueUrl = postgres?.url ?? '';
    const databaseUrl = mariadb ? new URL('/outage', mariadb.url).href : queueUrl;
    const database: TestDatabase = { kind, databaseUrl, queueUrl, drop: stopServers };
    fleet = await startFleet(kind, { database });
    own = createCatalogueClient(fleet.apiUrl, (await fleet.createOwner()).key);
  }, 180_000);
  afterAll(async () => {
    await fleet?.stop();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  const readiness = async (): Promise<number[]> =>
    (await Promise.all(fleet.all().map(({ process }) => ask(`${process.url}/readyz`)))).map(({ status }) => status);
  const areReady = async (packKey: string, count: number): Promise<boolean> =>
    (await own.pack(packKey)).stickers.filter((sticker) => sticker.status === 'ready').length === count;

  it('ends no process, and is over by itself within 10 s', async () => {
    const packKey = await own.createPack({ name: 'Outage' });
    await own.addSticker(packKey, { bytes: drawPng(1, 64), emojis: ['🎲'] });
    await waitFor(() => areReady(packKey, 1), patience);

    await stopServers();
    const stoppedAt = performance.now();
    await waitFor(async () => (await readiness()).every((status) => status === 503), patience);
    const refused = await own.addSticker(packKey, { bytes: drawPng(2, 64), emojis: ['🎲'] });
    await waitFor(() => performance.now() - stoppedAt > outageMs, { timeoutMs: outageMs + 30_000, intervalMs: 500 });
    await startServers();
    const backAt = performance.now();
    await waitFor(async () => (await readiness()).every((status) => status === 200), patience);
    const readyAfterMs = performance.now() - backAt;
    const accepted = await own.addSticker(packKey, { bytes: drawPng(3, 64), emojis: ['🎲'] });
    await waitFor(() => areReady(packKey, 2), patience);
    const workedAfterMs = performance.now() - backAt;

    expect(refused.status).toBe(503);
    expect(accepted.status).toBe(202);
    expect(fleet.all().filter(({ process }) => !isProcessAlive(process.pid))).toEqual([]);
    expect(readyAfterMs).toBeLessThan(backWithinMs);
    expect(workedAfterMs).toBeLessThan(2 * backWithinMs);
  }, 240_000);
});
