import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isAppError } from '@omnizap/runtime';
import { freePort, spawnProcess, waitFor } from '@omnizap/testkit';
import pg from 'pg';
import { startEmbeddedPostgres } from './postgres.ts';
import type { EmbeddedPostgres } from './postgres.ts';
import { isProcessAlive } from './process-identity.ts';

const parent = await mkdtemp(path.join(tmpdir(), 'omnizap embedded '));
const running = new Set<EmbeddedPostgres>();
let count = 0;

afterEach(async () => {
  for (const server of running) await server.stop({ hurry: true });
  running.clear();
});
afterAll(async () => await rm(parent, { recursive: true, force: true }));

const newDataDir = (): string => path.join(parent, `with space ${(count += 1)}`);

async function start(dataDir: string, port = 0): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataDir, port, durable: false });
  running.add(server);
  return server;
}

async function query<T extends pg.QueryResultRow>(url: string, sql: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('startEmbeddedPostgres', () => {
  it('starts below a path with spaces and keeps its rows and its password over a restart', async () => {
    const dataDir = newDataDir();
    const first = await start(dataDir);
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();
    expect(isProcessAlive(first.pid)).toBe(false);

    const second = await start(dataDir);

    expect(await query(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    expect(new URL(second.url).password).toBe(new URL(first.url).password);
  });

  it('is UTF-8, folds case as Unicode does and sorts by code point', async () => {
    const { url } = await start(newDataDir());

    const rows = await query(
      url,
      `SELECT lower('ÉÇÃ') AS lower, 'Z' < 'a' AS by_code_point, length('🎉') AS length, current_setting('server_encoding') AS encoding`,
    );

    expect(rows).toEqual([{ lower: 'éçã', by_code_point: true, length: 1, encoding: 'UTF8' }]);
  });

  it('keeps strangers out: password required, kept in a file that only its owner may read, loopback only', async () => {
    const dataDir = newDataDir();
    const { url } = await start(dataDir);
    const wrong = new URL(url);
    wrong.password = 'guessed';

    await expect(query(wrong.href, 'SELECT 1')).rejects.toThrow(/password authentication failed/);

    const passwordFile = path.join(dataDir, 'server', 'password');
    expect(await readFile(passwordFile, 'utf8')).toBe(new URL(url).password);
    expect((await stat(passwordFile)).mode & 0o777).toBe(0o600);
    expect(await query(url, 'SHOW listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
  });

  it('comes up again on the files of a server that was SIGKILLed, and tells of its end', async () => {
    const dataDir = newDataDir();
    const first = await start(dataDir);
    await query(first.url, 'CREATE TABLE kept AS SELECT 7 AS answer');
    let told = 0;
    first.onExit(() => (told += 1));

    process.kill(first.pid, 'SIGKILL');
    expect((await first.exited).signal).toBe('SIGKILL');
    const second = await start(dataDir, first.port);

    expect(told).toBe(1);
    expect(second.port).toBe(first.port);
    expect(await query(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 7 }]);
  });

  it('is not stopped by a stale pid file whose number belongs to another live process', async () => {
    const dataDir = newDataDir();
    await (await start(dataDir)).stop();
    const bystander = await spawnProcess('libs/testkit/test/echo-process.ts');
    const filesDir = path.join(dataDir, 'server', 'files');
    await writeFile(
      path.join(filesDir, 'postmaster.pid'),
      `${bystander.pid}\n${filesDir}\n1700000000\n1\n\n127.0.0.1\n`,
    );

    const second = await start(dataDir);

    expect(await query(second.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(isProcessAlive(bystander.pid)).toBe(true);
    await bystander.stop();
  });

  it('refuses files that a running server uses', async () => {
    const dataDir = newDataDir();
    const first = await start(dataDir);

    await expect(start(dataDir)).rejects.toThrow(/already in use/);

    expect(await query(first.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('says which port is taken', async () => {
    const { port } = await start(newDataDir());

    const failure = await start(newDataDir(), port).catch((error: unknown) => error);

    expect(isAppError(failure, 'unavailable')).toBe(true);
    expect(String(failure)).toMatch(/did not start.*could not (bind|create)/);
  });

  it('starts afresh where an earlier start was killed while it made the files', async () => {
    const dataDir = newDataDir();
    await mkdir(path.join(dataDir, 'unfinished-abc', 'files', 'base'), { recursive: true });

    const { url } = await start(dataDir);

    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(await readdir(dataDir)).toEqual(['server']);
  });

  it('gives up cleanly when the start is aborted', async () => {
    const abort = new AbortController();
    const dataDir = newDataDir();
    const attempt = startEmbeddedPostgres({ dataDir, port: await freePort(), durable: false, signal: abort.signal });
    abort.abort();

    await expect(attempt).rejects.toThrow(/abort/i);
    expect(await query((await start(dataDir)).url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('leaves when its parent is SIGKILLed, and the next start waits for that', async () => {
    const dataDir = newDataDir();
    const holder = await spawnProcess('libs/embedded/test/hold-postgres.ts', [dataDir]);
    const pid = Number.parseInt(await readFile(path.join(dataDir, 'server', 'files', 'postmaster.pid'), 'utf8'), 10);
    expect(isProcessAlive(pid)).toBe(true);

    holder.kill('SIGKILL');
    await holder.exited;
    const next = await start(dataDir);

    expect(await query(next.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await waitFor(() => !isProcessAlive(pid), { description: 'the orphaned PostgreSQL to leave' });
  });
});
