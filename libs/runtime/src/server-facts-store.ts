/**
 * What a database server says about itself and about our account, for whoever looks into it from outside. Nothing is written:
 * rights are tried by statements that meet no row.
 */
import { isAccessDenied, rowsOf, type Database } from './database.ts';

export type ServerFacts = {
  product: 'PostgreSQL' | 'MariaDB' | 'MySQL' | 'other';
  /** As the server writes it. */
  versionText: string;
  major: number;
  minor: number;
  /** A replica, or switched to reading only. */
  isReadOnly: boolean;
  /** `max`: for accounts like ours, what is reserved for others left out. */
  connections: { used: number; max: number };
};

export type ServerClock = {
  /** Positive: the server is ahead of this host. */
  aheadMs: number;
  /** It may be wrong by half of this. */
  roundTripMs: number;
};

const clockSamples = 3;

export async function readServerFacts(database: Database): Promise<ServerFacts> {
  return database.kind === 'postgres' ? readPostgres(database) : readMysql(database);
}

async function readPostgres({ knex }: Database): Promise<ServerFacts> {
  type Row = { version: string; number: string; max: number; used: number; read_only: boolean };
  const result: unknown = await knex.raw(
    `SELECT version() AS version, current_setting('server_version_num') AS number,
            current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS max,
            (SELECT SUM(numbackends)::int FROM pg_stat_database) AS used,
            pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on' AS read_only`,
  );
  const [row] = rowsOf<Row>(result) as [Row];
  const version = Number(row.number);
  return {
    product: row.version.startsWith('PostgreSQL') ? 'PostgreSQL' : 'other',
    versionText: /^\S+ \S+/.exec(row.version)?.[0] ?? row.version,
    major: Math.floor(version / 10_000),
    minor: version % 10_000,
    isReadOnly: row.read_only,
    connections: { used: row.used, max: row.max },
  };
}

async function readMysql({ knex }: Database): Promise<ServerFacts> {
  type Row = { version: string; max: number; read_only: number };
  const result: unknown = await knex.raw(
    'SELECT VERSION() AS version, @@max_connections AS max, @@global.read_only AS read_only',
  );
  const [row] = rowsOf<Row>(result) as [Row];
  const [status] = rowsOf<{ Value: string }>(await knex.raw(`SHOW GLOBAL STATUS LIKE 'Threads_connected'`));
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(row.version) ?? [];
  const product = /mariadb/i.test(row.version) ? 'MariaDB' : 'MySQL';
  return {
    product,
    versionText: `${product} ${row.version.split('-', 1)[0] ?? ''}`,
    major: Number(major),
    minor: Number(minor),
    isReadOnly: Number(row.read_only) === 1,
    connections: { used: Number(status?.Value ?? 0), max: row.max },
  };
}

/** By the quickest of a few looks. */
export async function readServerClock({ knex, kind }: Database): Promise<ServerClock> {
  const now =
    kind === 'postgres' ? 'EXTRACT(EPOCH FROM clock_timestamp())::float8' : 'UNIX_TIMESTAMP(CURRENT_TIMESTAMP(3))';
  let best: ServerClock | undefined;
  for (let sample = 0; sample < clockSamples; sample += 1) {
    const sentAt = performance.now();
    const wallAt = Date.now();
    const [row] = rowsOf<{ seconds: number | string }>(await knex.raw(`SELECT ${now} AS seconds`));
    const roundTripMs = performance.now() - sentAt;
    const aheadMs = Number(row?.seconds) * 1_000 - (wallAt + roundTripMs / 2);
    if (best === undefined || roundTripMs < best.roundTripMs) best = { aheadMs, roundTripMs };
  }
  return best as ServerClock;
}

/** Tables of `schema` (default: the connection's own) that our account cannot read and change as processes do. */
export async function deniedTables(database: Database, schema?: string): Promise<string[]> {
  const { knex, kind } = database;
  if (kind === 'postgres') {
    const rights = ['SELECT', 'INSERT', 'UPDATE', 'DELETE']
      .map((right) => `has_table_privilege(c.oid, '${right}')`)
      .join(' AND ');
    const result: unknown = await knex.raw(
      `SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p') AND n.nspname = COALESCE(?, current_schema())
          AND NOT (has_schema_privilege(n.oid, 'USAGE') AND ${rights}) ORDER BY c.relname`,
      [schema ?? null],
    );
    return rowsOf<{ name: string }>(result).map(({ name }) => name);
  }
  // Grants may come by a role, by a pattern, by a column: only the server can tell.
  const columns = rowsOf<{ name: string; column: string }>(
    await knex.raw(
      `SELECT t.table_name AS name, c.column_name AS \`column\`
         FROM information_schema.tables t JOIN information_schema.columns c
           ON c.table_schema = t.table_schema AND c.table_name = t.table_name AND c.extra NOT LIKE '%GENERATED%'
        WHERE t.table_schema = DATABASE() AND t.table_type = 'BASE TABLE' ORDER BY t.table_name`,
    ),
  );
  const denied: string[] = [];
  for (const [table, rows] of Map.groupBy(columns, ({ name }) => name))
    try {
      const names = rows.map(({ column }) => column);
      await knex.raw('INSERT INTO ?? (??) SELECT ?? FROM ?? WHERE 1 = 0', [table, names, names, table]);
      await knex.raw('UPDATE ?? SET ?? = ?? WHERE 1 = 0', [table, names[0] ?? '', names[0] ?? '']);
      await knex.raw('DELETE FROM ?? WHERE 1 = 0', [table]);
    } catch (error) {
      if (!isAccessDenied(error)) throw error;
      denied.push(table);
    }
  return denied;
}
