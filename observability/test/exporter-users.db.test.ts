/** The exporters' users on servers of their own, as no other test may meet them: who they are, and that nobody knows their password. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { locateMariadb, startEmbeddedPostgres, startMariadb } from '@omnizap/embedded';
import { testDatabaseKinds } from '@omnizap/testkit';
import mysql from 'mysql2/promise';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';

const root = path.resolve(import.meta.dirname, '../..');
// The cache that tools/test.ts fills; somebody's own server gets no such user from a test.
const mariadb = await locateMariadb({ cacheDir: path.join(root, '.cache/mariadb') });
const kinds = testDatabaseKinds().filter((kind) => kind === 'postgres' || mariadb !== null);

describe.each(kinds)("the exporter's user on %s", (kind) => {
  const file = readFileSync(path.join(root, `observability/exporters/${kind}-user.sql`), 'utf8');
  /** As the command in the file sends it. */
  const [, setting = ''] = /printf "(SET [^"]+;)\\n"/.exec(file) ?? [];
  const withPassword = (password: string): string => `${setting.replace('%s', password)}\n${file}`;
  let folder: string;
  let url: string;
  let stop: (() => Promise<void>) | undefined;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'omnizap exporter '));
    const server = await startServer();
    url = server.url;
    stop = async () => await server.stop({ hurry: true });
  }, 120_000);
  afterAll(async () => {
    await stop?.();
    await rm(folder, { recursive: true, force: true });
  });

  async function startServer(): Promise<Awaited<ReturnType<typeof startEmbeddedPostgres | typeof startMariadb>>> {
    if (kind === 'postgres') return await startEmbeddedPostgres({ dataDir: path.join(folder, 'data'), durable: false });
    if (mariadb === null) throw new Error('this needs a MariaDB of its own');
    return await startMariadb({ installation: mariadb, dataDir: path.join(folder, 'data') });
  }
  async function run(sql: string, user?: { name: string; password: string }): Promise<unknown[]> {
    const address = new URL(url);
    if (user !== undefined) [address.username, address.password] = [user.name, user.password];
    if (kind === 'mysql') {
      const connection = await mysql.createConnection({ uri: address.href, multipleStatements: true });
      const [rows] = await connection.query(sql).finally(() => connection.end());
      return rows as unknown[];
    }
    const client = new pg.Client({ connectionString: address.href });
    await client.connect();
    const { rows } = await client.query(sql).finally(() => client.end());
    return rows as unknown[];
  }
  const knownUsers = (): Promise<unknown[]> =>
    run(
      kind === 'mysql'
        ? "SELECT 1 FROM mysql.user WHERE user = 'omnizap_exporter'"
        : "SELECT 1 FROM pg_roles WHERE rolname = 'omnizap_exporter'",
    );
  const asExporter = (password: string, sql: string): Promise<unknown[]> =>
    run(sql, { name: 'omnizap_exporter', password });

  it('is not made without a password, or with an empty one', async () => {
    await expect(run(file)).rejects.toThrow();
    await expect(run(withPassword(''))).rejects.toThrow();
    expect(await knownUsers()).toEqual([]);
  });

  it('has the password that was given last, sees statistics and no row', async () => {
    await run(withPassword('the-first'));
    await run(withPassword('the-second'));
    await expect(asExporter('the-first', 'SELECT 1')).rejects.toThrow();
    await expect(asExporter('development-only', 'SELECT 1')).rejects.toThrow();

    const [catalogue, statistics, limit] =
      kind === 'mysql'
        ? [
            'shop.item',
            'SHOW FULL PROCESSLIST',
            "SELECT max_user_connections AS most FROM mysql.user WHERE user = 'omnizap_exporter'",
          ]
        : [
            'item',
            'SELECT query FROM pg_stat_activity',
            "SELECT rolconnlimit AS most FROM pg_roles WHERE rolname = 'omnizap_exporter'",
          ];
    if (kind === 'mysql') await run('CREATE DATABASE shop');
    await run(`CREATE TABLE ${catalogue} (id INT)`);
    expect((await asExporter('the-second', statistics)).length).toBeGreaterThan(0);
    await expect(asExporter('the-second', `SELECT id FROM ${catalogue}`)).rejects.toThrow(/denied/);
    expect((await run(limit)).map((row) => Number((row as { most: unknown }).most))).toEqual([3]);
  });
});
