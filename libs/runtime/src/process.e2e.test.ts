/** A stop is clean whatever the database does: what cannot be told to it is left to leases. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  createTestDatabase,
  spawnProcess,
  startBadNetwork,
  waitFor,
  type BadNetwork,
  type TestDatabase,
} from '@omnizap/testkit';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

describe('a process whose database has fallen silent', () => {
  let test: TestDatabase;
  let network: BadNetwork;
  let dataDir: string;
  let env: Record<string, string>;

  beforeAll(async () => {
    test = await createTestDatabase('postgres');
    dataDir = await mkdtemp(path.join(tmpdir(), 'omnizap-silent-'));
    const url = new URL(test.databaseUrl);
    network = await startBadNetwork({ host: url.hostname, port: Number(url.port) });
    url.port = String(network.port);
    const ports = { PORT: '0', RELAY_PORT: '0', WORKER_PORT: '0', MAINTENANCE_PORT: '0' };
    // One connection: everything that has to be said waits for what is not answered.
    env = { ...ports, DATABASE_POOL_MAX: '1', DATABASE_URL: url.href, STICKER_DATA_DIR: dataDir, LOG_FORMAT: 'json' };
    const migration = await spawnProcess(
      'tools/migrate.ts',
      ['up'],
      { ...env, DATABASE_POOL_MAX: '2' },
      { waitForReady: false },
    );
    expect((await migration.exited).code).toBe(0);
  }, 60_000);
  afterAll(async () => {
    await network.close();
    await test.drop();
    await rm(dataDir, { recursive: true, force: true });
  });

  it.each([
    ['apps/api/main.ts', []],
    ['apps/relay/main.ts', []],
    ['apps/worker/main.ts', ['rebuild']],
    ['apps/maintenance/main.ts', []],
  ])(
    '%s %p stops with code 0 within 15 s of SIGTERM',
    async (entry, args) => {
      const started = await spawnProcess(entry, args, env);
      network.drop(true);
      // Something is on its way to the database when the signal comes.
      await waitFor(async () => (await fetch(`${started.url}/readyz`)).status === 503);

      // Throws when it takes longer.
      const exit = await started.stop();
      network.drop(false);

      expect(exit).toEqual({ code: 0, signal: null });
      expect(started.output()).toContain('did not stop in time; going on without it');
      expect(started.output()).not.toContain('leaving anyway');
    },
    60_000,
  );
});
