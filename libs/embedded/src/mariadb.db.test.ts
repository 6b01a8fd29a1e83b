import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import mysql from 'mysql2/promise';
import { locateMariadb } from './mariadb-location.ts';
import type { MariadbInstallation } from './mariadb-location.ts';
import { startMariadb } from './mariadb.ts';
import type { EmbeddedMariadb } from './mariadb.ts';
import { isProcessAlive } from './process-identity.ts';

// The cache that tools/test.ts fills; where no MariaDB can be had, the run has said so loudly.
const cacheDir = path.resolve(import.meta.dirname, '../../../.cache/mariadb');
const installation = await locateMariadb({ cacheDir });

if (installation === null) {
  describe('startMariadb', () => {
    it('is left out where no MariaDB can be had', () => expect(installation).toBeNull());
  });
} else {
  describe('startMariadb', () => describeServer(installation));
}

function describeServer(found: MariadbInstallation): void {
  let parent: string;
  let server: EmbeddedMariadb;

  beforeAll(async () => {
    parent = await mkdtemp(path.join(tmpdir(), 'omnizap embedded '));
    server = await startMariadb({ installation: found, dataDir: path.join(parent, 'with space') });
  });
  afterAll(async () => {
    await server.stop();
    await rm(parent, { recursive: true, force: true });
  });

  async function query(url: string, sql: string): Promise<unknown> {
    const connection = await mysql.createConnection(url);
    const [rows] = await connection.query(sql).finally(() => connection.end());
    return rows;
  }

  it('tells emojis apart and skips locked rows, below a path with spaces', async () => {
    await query(server.url, 'CREATE DATABASE shop');
    const url = `${server.url}shop`;
    await query(url, 'CREATE TABLE item (id INT PRIMARY KEY, name VARCHAR(8))');
    await query(url, "INSERT INTO item VALUES (1, '🎉'), (2, '🔥')");
    const holder = await mysql.createConnection(url);
    await holder.beginTransaction();
    await holder.query('SELECT id FROM item WHERE id = 1 FOR UPDATE');

    expect(await query(url, "SELECT id FROM item WHERE name = '🔥'")).toEqual([{ id: 2 }]);
    expect(await query(url, 'SELECT id FROM item ORDER BY id FOR UPDATE SKIP LOCKED')).toEqual([{ id: 2 }]);
    await holder.end();
  });

  it('has one user, with a password', async () => {
    expect(await query(`${server.url}mysql`, "SELECT User FROM user WHERE User <> 'mariadb.sys'")).toEqual([
      { User: 'omnizap' },
    ]);
    const wrong = new URL(server.url);
    wrong.password = 'guessed';

    await expect(query(wrong.href, 'SELECT 1')).rejects.toThrow(/Access denied/);
  });

  it('keeps its rows over a restart', async () => {
    await query(server.url, 'CREATE DATABASE kept');
    await server.stop();
    expect(isProcessAlive(server.pid)).toBe(false);

    server = await startMariadb({ installation: found, dataDir: path.join(parent, 'with space') });

    expect(await query(server.url, "SHOW DATABASES LIKE 'kept'")).toHaveLength(1);
  });
}
