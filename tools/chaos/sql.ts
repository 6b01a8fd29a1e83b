/**
 * The harness's own way to the databases: past the proxies, past the product's code. What it changes is marked as its own, so that
 * the history tells its doings from the product's.
 */
import mysql from 'mysql2/promise';
import pg from 'pg';

export type DatabaseKind = 'postgres' | 'mariadb';

export type Sql = {
  kind: DatabaseKind;
  /** `?` stands for a value on both databases. */
  query: <Row extends object>(text: string, values?: unknown[]) => Promise<Row[]>;
  /** Sessions of this connection on a server that cannot tell them by name. */
  sessions: () => number[];
  close: () => Promise<void>;
};

/** Shown in pg_stat_activity: faults that cut connections leave these alone. */
export const harnessName = 'omnizap chaos';
/** Enough for a fault and a look at the same time. */
const poolMax = 4;
const connectTimeoutMs = 5_000;

export function connectSql(url: string): Sql {
  return url.startsWith('mysql:') ? connectMariadb(url) : connectPostgres(url);
}

function connectPostgres(url: string): Sql {
  const pool = new pg.Pool({
    connectionString: url,
    max: poolMax,
    application_name: harnessName,
    connectionTimeoutMillis: connectTimeoutMs,
    options: '-c chaos.actor=harness -c timezone=UTC',
    types: { getTypeParser: readNumbers },
  });
  // Servers are stopped under it on purpose.
  pool.on('error', () => undefined);
  return {
    kind: 'postgres',
    sessions: () => [],
    async query<Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> {
      let count = 0;
      return (
        await pool.query<Row>(
          text.replaceAll('?', () => `$${(count += 1)}`),
          values,
        )
      ).rows;
    },
    close: () => pool.end(),
  };
}

/** 64-bit integers as numbers: versions and ids of a run are far from the limit. */
function readNumbers(oid: number): (value: string) => unknown {
  if (oid === Number(pg.types.builtins.INT8)) return Number;
  return pg.types.getTypeParser(oid) as (value: string) => unknown;
}

function connectMariadb(url: string): Sql {
  const pool = mysql.createPool({
    uri: url,
    connectionLimit: poolMax,
    connectTimeout: connectTimeoutMs,
    timezone: 'Z',
    supportBigNumbers: true,
    multipleStatements: false,
  });
  const sessions = new Set<number>();
  pool.pool.on('connection', (connection) => {
    sessions.add(connection.threadId);
    connection.on('error', () => undefined);
    connection.query("SET @chaos_actor = 'harness', SESSION time_zone = '+00:00'", () => undefined);
  });
  return {
    kind: 'mariadb',
    sessions: () => [...sessions],
    async query<Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> {
      const [rows] = await pool.query(text, values);
      return Array.isArray(rows) ? (rows as Row[]) : [];
    },
    close: () => pool.end(),
  };
}
