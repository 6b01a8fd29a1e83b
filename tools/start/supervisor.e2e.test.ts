import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { isProcessAlive } from '@omnizap/embedded';
import { freePort, spawnProcess, waitFor } from '@omnizap/testkit';
import type { SpawnedProcess, SpawnOptions } from '@omnizap/testkit';
import pg from 'pg';
import type { RuntimeContent } from './runtime-file.ts';

/** What every process of the fleet promises to its supervisor, and nothing else: the supervisor is tested, not the fleet. */
const fakeApp = `
import { createServer } from 'node:http';
const name = [process.argv[1].split('/').at(-2), ...process.argv.slice(2)].join('-');
const port = Number(process.env.WORKER_PORT ?? (name === 'relay' ? process.env.RELAY_PORT : name === 'maintenance' ? process.env.MAINTENANCE_PORT : process.env.PORT));
const server = createServer((request, response) => response.end(name)).listen(port, '127.0.0.1', () => {
  process.send({ type: 'ready', name, url: 'http://127.0.0.1:' + server.address().port });
});
const stop = () => {
  if (process.env.FAKE_DEAF === name) return;
  console.log('stopping ' + name);
  process.exit(0);
};
process.on('SIGTERM', stop);
process.on('disconnect', stop);
`;
const fakeStep = `
console.log(process.argv.slice(2).join(' ') + ' ran');
if (process.env.FAKE_FAILING === process.argv[2]) { console.error('the schema is on fire'); process.exit(1); }
process.exit(0);
`;
const fleet = ['api', 'relay', 'worker-classification', 'worker-curation', 'worker-rebuild', 'maintenance'];
const anyPorts = {
  PORT: '0',
  RELAY_PORT: '0',
  WORKER_CLASSIFICATION_PORT: '0',
  WORKER_CURATION_PORT: '0',
  WORKER_REBUILD_PORT: '0',
  MAINTENANCE_PORT: '0',
  EMBEDDED_POSTGRES_PORT: '0',
};

let root: string;
let count = 0;
const started = new Set<SpawnedProcess>();

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'omnizap fleet '));
  for (const app of ['api', 'relay', 'worker', 'maintenance']) {
    await mkdir(path.join(root, 'apps', app), { recursive: true });
    await writeFile(path.join(root, 'apps', app, 'main.ts'), fakeApp);
  }
  await mkdir(path.join(root, 'tools'));
  await writeFile(path.join(root, 'package.json'), '{"type":"module"}');
  for (const step of ['migrate', 'seed']) await writeFile(path.join(root, 'tools', `${step}.ts`), fakeStep);
  const supervisor = pathToFileURL(path.join(import.meta.dirname, 'supervisor.ts')).href;
  await writeFile(
    path.join(root, 'start.ts'),
    `import { runSupervisor } from ${JSON.stringify(supervisor)};
     const stop = new AbortController(), hurry = new AbortController();
     process.on('SIGTERM', () => stop.signal.aborted ? hurry.abort() : stop.abort());
     process.exit(await runSupervisor({
       root: import.meta.dirname, environment: process.env, target: process.stdout,
       stopSignal: stop.signal, hurrySignal: hurry.signal,
       onReady: (url) => process.send({ type: 'ready', name: 'start', url }),
     }));`,
  );
});
afterEach(async () => {
  for (const supervisor of started) await supervisor.stop();
  started.clear();
});
afterAll(async () => await rm(root, { recursive: true, force: true }));

const newDataDir = (): string => path.join(root, `data ${(count += 1)}`);

async function start(
  dataDir: string,
  env: Record<string, string> = {},
  options: SpawnOptions = {},
): Promise<SpawnedProcess> {
  const supervisor = await spawnProcess(
    path.join(root, 'start.ts'),
    [],
    { ...anyPorts, STICKER_DATA_DIR: dataDir, ...env },
    options,
  );
  started.add(supervisor);
  return supervisor;
}

async function readRuntime(dataDir: string): Promise<RuntimeContent> {
  return JSON.parse(await readFile(path.join(dataDir, 'runtime.json'), 'utf8')) as RuntimeContent;
}

async function readPostgresPid(dataDir: string): Promise<number> {
  return Number.parseInt(
    await readFile(path.join(dataDir, 'postgres', 'server', 'files', 'postmaster.pid'), 'utf8'),
    10,
  );
}

async function exists(file: string): Promise<boolean> {
  return await stat(file).then(
    () => true,
    () => false,
  );
}

describe('runSupervisor', () => {
  it('starts every process, tells where they are, and stops all of them in order', async () => {
    const dataDir = newDataDir();
    const supervisor = await start(dataDir);
    const runtime = await readRuntime(dataDir);
    const postgresPid = await readPostgresPid(dataDir);

    expect(runtime.processes.map(({ name }) => name).sort()).toEqual([...fleet].sort());
    expect((await stat(path.join(dataDir, 'runtime.json'))).mode & 0o777).toBe(0o600);
    expect(runtime.api_url).toBe(supervisor.url);
    for (const { name, url } of runtime.processes) expect(await (await fetch(url)).text()).toBe(name);
    const client = new pg.Client({ connectionString: runtime.database_url });
    await client.connect();
    await client.end();
    expect(supervisor.output()).toMatch(/up ran[^]*credentials ran[^]*demo ran/);

    const stoppingAt = performance.now();
    expect(await supervisor.stop()).toEqual({ code: 0, signal: null });

    expect(performance.now() - stoppingAt).toBeLessThan(15_000);
    expect([postgresPid, ...runtime.processes.map(({ pid }) => pid)].filter(isProcessAlive)).toEqual([]);
    const order = [...supervisor.output().matchAll(/stopping ([\w-]+)/g)].map(([, name]) => name);
    expect([order[0], ...order.slice(1, 4).sort(), ...order.slice(4)]).toEqual([
      'api',
      'worker-classification',
      'worker-curation',
      'worker-rebuild',
      'relay',
      'maintenance',
    ]);
    expect(await exists(path.join(dataDir, 'runtime.json'))).toBe(false);
    expect(await exists(path.join(dataDir, 'start.lock'))).toBe(false);
  });

  it('starts a killed process and a killed PostgreSQL again', async () => {
    const dataDir = newDataDir();
    const supervisor = await start(dataDir);
    const before = await readRuntime(dataDir);
    const victim = before.processes.find(({ name }) => name === 'worker-curation');

    process.kill(victim?.pid ?? 0, 'SIGKILL');
    process.kill(await readPostgresPid(dataDir), 'SIGKILL');

    await waitFor(async () =>
      (await readRuntime(dataDir)).processes.some(({ name, pid }) => name === 'worker-curation' && pid !== victim?.pid),
    );
    await waitFor(async () => {
      const client = new pg.Client({ connectionString: before.database_url });
      client.on('error', () => undefined);
      await client.connect();
      await client.end();
      return true;
    });
    expect(supervisor.output()).toMatch(/worker-curation +\| ended \(SIGKILL\); starting it again in 0.5 s/);
    expect(supervisor.output()).toMatch(/postgres +\| ended \(SIGKILL\); starting it again in 0.5 s/);
  });

  it('says which port is taken and which variable moves it, before anything is started', async () => {
    const dataDir = newDataDir();
    const port = await freePort();
    const occupier = createServer().listen(port, '127.0.0.1');

    const supervisor = await start(dataDir, { WORKER_REBUILD_PORT: String(port) }, { waitForReady: false });

    expect((await supervisor.exited).code).toBe(1);
    expect(supervisor.output()).toBe(
      `npm start: Port ${port} of worker-rebuild is taken by another program: set WORKER_REBUILD_PORT to another port\n`,
    );
    expect(await exists(path.join(dataDir, 'postgres'))).toBe(false);
    occupier.close();
  });

  it('leaves nothing behind when it is SIGKILLed, and the next start is not held up', async () => {
    const dataDir = newDataDir();
    const first = await start(dataDir);
    const { processes } = await readRuntime(dataDir);
    const pids = [await readPostgresPid(dataDir), ...processes.map(({ pid }) => pid)];

    first.kill('SIGKILL');
    await first.exited;

    await waitFor(() => !pids.some(isProcessAlive), { description: 'the fleet of a killed supervisor to leave' });
    const second = await start(dataDir);
    expect(second.output()).toContain('The last run was cut short');
  });

  it('refuses a data directory that another supervisor uses', async () => {
    const dataDir = newDataDir();
    const first = await start(dataDir);

    const second = await start(dataDir, {}, { waitForReady: false });

    expect((await second.exited).code).toBe(1);
    expect(second.output()).toContain(`npm start already runs on ${dataDir} (pid ${first.pid})`);
    expect(await readRuntime(dataDir)).toMatchObject({ pid: first.pid });
  });

  it('stops what it started when a migration fails, and says why', async () => {
    const dataDir = newDataDir();

    const supervisor = await start(dataDir, { FAKE_FAILING: 'up' }, { waitForReady: false });

    expect((await supervisor.exited).code).toBe(1);
    expect(supervisor.output()).toContain('npm start: migrate failed (code 1): the schema is on fire');
    expect(await exists(path.join(dataDir, 'postgres', 'server', 'files', 'postmaster.pid'))).toBe(false);
  });

  it('kills a process that ignores SIGTERM, at once when asked a second time', async () => {
    const dataDir = newDataDir();
    const supervisor = await start(dataDir, { FAKE_DEAF: 'relay' });
    const { processes } = await readRuntime(dataDir);

    supervisor.kill('SIGTERM');
    await waitFor(() => supervisor.output().includes('stopping worker-rebuild'));
    supervisor.kill('SIGTERM');
    const secondAt = performance.now();

    expect((await supervisor.exited).code).toBe(0);
    expect(performance.now() - secondAt).toBeLessThan(5_000);
    expect(processes.map(({ pid }) => pid).filter(isProcessAlive)).toEqual([]);
  });

  it('lists every wrong setting at once', async () => {
    const supervisor = await start(
      newDataDir(),
      { PORT: '99999', RELAY_PORT: 'x', DATABASE_URL: 'oracle://db' },
      { waitForReady: false },
    );

    expect((await supervisor.exited).code).toBe(1);
    expect(supervisor.output()).toMatch(
      /PORT must be a port[^]*RELAY_PORT must be a port[^]*DATABASE_URL must start with/,
    );
  });
});
