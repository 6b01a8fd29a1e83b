/**
 * A private, empty database for each test file, on the servers that tools/test.ts started. The task queue always lives in
 * PostgreSQL, so a MariaDB catalogue comes with a PostgreSQL database of its own beside it.
 */
import { randomBytes } from 'node:crypto';
import mysql from 'mysql2/promise';
import pg from 'pg';

export type TestDatabaseKind = 'postgres' | 'mysql';

export type TestDatabase = {
  kind: TestDatabaseKind;
  databaseUrl: string;
  /** PostgreSQL; the same as `databaseUrl` for the kind `postgres`. */
  queueUrl: string;
  /** Removes both, and cuts whoever is still connected. */
  drop: () => Promise<void>;
};

/** The kinds that this run can test: `mysql` is missing where no MariaDB could be had. */
export function testDatabaseKinds(): TestDatabaseKind[] {
  return process.env.OMNIZAP_TEST_MYSQL_URL ? ['postgres', 'mysql'] : ['postgres'];
}

/** Makes an empty database. Drop it in `afterAll`. */
export async function createTestDatabase(kind: TestDatabaseKind): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  const queueUrl = await createPostgres(name);
  if (kind === 'postgres') {
    return { kind, databaseUrl: queueUrl, queueUrl, drop: async () => await dropPostgres(name) };
  }
  const databaseUrl = await createMysql(name);
  return {
    kind,
    databaseUrl,
    queueUrl,
    drop: async () => {
      await dropMysql(name);
      await dropPostgres(name);
    },
  };
}

async function createPostgres(name: string): Promise<string> {
  const server = serverUrl('OMNIZAP_TEST_POSTGRES_URL');
  await runOnPostgres(server, `CREATE DATABASE ${name}`);
  return withDatabase(server, name);
}

async function dropPostgres(name: string): Promise<void> {
  await runOnPostgres(serverUrl('OMNIZAP_TEST_POSTGRES_URL'), `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
}

async function runOnPostgres(server: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

async function createMysql(name: string): Promise<string> {
  const server = serverUrl('OMNIZAP_TEST_MYSQL_URL');
  await runOnMysql(server, `CREATE DATABASE ${name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`);
  return withDatabase(server, name);
}

/** MariaDB's DROP waits for the locks of open transactions: their connections go first. */
async function dropMysql(name: string): Promise<void> {
  const server = serverUrl('OMNIZAP_TEST_MYSQL_URL');
  const connection = await mysql.createConnection(server);
  try {
    const [rows] = await connection.query('SELECT id FROM information_schema.processlist WHERE db = ?', [name]);
    for (const { id } of rows as { id: number }[]) await connection.query(`KILL ${id}`).catch(() => undefined);
    await connection.query(`DROP DATABASE IF EXISTS ${name}`);
  } finally {
    await connection.end();
  }
}

async function runOnMysql(server: string, statement: string): Promise<void> {
  const connection = await mysql.createConnection(server);
  try {
    await connection.query(statement);
  } finally {
    await connection.end();
  }
}

function serverUrl(variable: 'OMNIZAP_TEST_POSTGRES_URL' | 'OMNIZAP_TEST_MYSQL_URL'): string {
  const url = process.env[variable];
  if (!url) throw new Error(`${variable} is not set: run database tests through npm test (npm test -- <path>)`);
  return url;
}

function withDatabase(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}
