/**
 * The catalogue's connection: knex on PostgreSQL or on MySQL/MariaDB, set up so that both behave alike (UTC, READ COMMITTED,
 * strict SQL, numbers as numbers). Callers see one `Database`; where SQL must differ they ask `kind`.
 */
import type { Socket } from 'node:net';
import knexFactory, { type Knex } from 'knex';
import pg from 'pg';
import type { DatabaseObserver } from './database-metrics.ts';
import { AppError } from './errors.ts';

export type DatabaseKind = 'postgres' | 'mysql';

/** An open transaction; stores take it where a change must be part of the caller's. */
export type Transaction = Knex.Transaction;

export type Database = {
  kind: DatabaseKind;
  knex: Knex;
  /**
   * Runs `work` in a READ COMMITTED transaction. A deadlock or serialisation failure (the database rolled everything back)
   * is tried again up to 5 times, so `work` must have no effect outside the transaction.
   */
  transaction<T>(work: (trx: Knex.Transaction) => Promise<T>): Promise<T>;
  /** Rejects when the database does not answer within 2 s. */
  ping(): Promise<void>;
  close(): Promise<void>;
};

type DatabaseOptions = {
  /** Connections at most. Seven processes share one server's default of 100, so the default is small. */
  poolMax?: number;
  /** Shown in pg_stat_activity. */
  applicationName?: string;
  /**
   * A connection on which nothing was heard for so long is given up, and what waits on it fails. Without it a network that drops
   * packets holds a statement for a quarter of an hour. Also closes idle connections, harmlessly. 0, the default: never.
   */
  silenceLimitMs?: number;
  observer?: DatabaseObserver;
};

const defaultPoolMax = 4;
const deadlockAttempts = 5;
const acquireTimeoutMs = 10_000;
const retryableCodes = new Set(['40001', '40P01', 'ER_LOCK_DEADLOCK', 'ER_LOCK_WAIT_TIMEOUT', 'ER_CHECKREAD']);

/** knex would print raw lines of what it also throws; the caller logs it, with its context. */
const silent = { warn: ignore, error: ignore, deprecate: ignore, debug: ignore };
function ignore(): void {}

export function databaseKindOf(url: string): DatabaseKind {
  return url.startsWith('mysql:') ? 'mysql' : 'postgres';
}

export function connectDatabase(url: string, options: DatabaseOptions = {}): Database {
  const kind = databaseKindOf(url);
  const knex = kind === 'mysql' ? connectMysql(url, options) : connectPostgres(url, options);
  if (options.observer) observe(knex, options.observer, options.poolMax ?? defaultPoolMax);

  return {
    kind,
    knex,
    async transaction(work) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await knex.transaction(work);
        } catch (error) {
          if (attempt >= deadlockAttempts || !isRetryableDatabaseError(error)) throw error;
          // Full jitter: two transactions that collided must not collide again in step.
          await new Promise((resolve) => setTimeout(resolve, Math.random() * 20 * 2 ** attempt));
        }
      }
    },
    async ping() {
      const timeout = AbortSignal.timeout(2_000);
      await Promise.race([
        knex.raw('SELECT 1'),
        new Promise((_resolve, reject) =>
          timeout.addEventListener('abort', () =>
            reject(new AppError('unavailable', 'The database did not answer within 2 s.')),
          ),
        ),
      ]);
    },
    close: () => knex.destroy(),
  };
}

function connectPostgres(url: string, options: DatabaseOptions): Knex {
  const numericTypes = new Set<number>([pg.types.builtins.INT8, pg.types.builtins.NUMERIC]);
  const types = {
    getTypeParser: (oid: number, format?: 'text' | 'binary'): unknown =>
      numericTypes.has(oid) ? Number : pg.types.getTypeParser(oid, format),
  };
  return knexFactory({
    client: 'pg',
    log: silent,
    connection: {
      connectionString: url,
      application_name: options.applicationName ?? 'omnizap',
      // Transactions of ours last milliseconds; one that sits idle for a minute belongs to a stopped process.
      idle_in_transaction_session_timeout: 60_000,
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
      options: '-c timezone=UTC',
      types,
    } as Knex.PgConnectionConfig,
    pool: {
      min: 0,
      max: options.poolMax ?? defaultPoolMax,
      idleTimeoutMillis: 30_000,
      afterCreate(connection: { connection: { stream: Socket } }, done: (error: null, connection: unknown) => void) {
        giveUpWhenSilent(connection.connection.stream, options.silenceLimitMs);
        done(null, connection);
      },
    },
    acquireConnectionTimeout: acquireTimeoutMs,
  });
}

function connectMysql(url: string, options: DatabaseOptions): Knex {
  const parsed = new URL(url);
  return knexFactory({
    client: 'mysql2',
    log: silent,
    connection: {
      host: parsed.hostname,
      port: Number(parsed.port || 3306),
      user: decodeURIComponent(parsed.username),
      password: decodeURIComponent(parsed.password),
      database: decodeURIComponent(parsed.pathname.slice(1)),
      charset: 'utf8mb4',
      timezone: 'Z',
      decimalNumbers: true,
      connectTimeout: 5_000,
      enableKeepAlive: true,
    } as Knex.MySql2ConnectionConfig,
    pool: {
      min: 0,
      max: options.poolMax ?? defaultPoolMax,
      idleTimeoutMillis: 30_000,
      afterCreate(
        connection: { stream: Socket; query(sql: string, done: (error: Error | null) => void): void },
        done: (error: Error | null, connection: unknown) => void,
      ) {
        giveUpWhenSilent(connection.stream, options.silenceLimitMs);
        const settings =
          "SET SESSION time_zone = '+00:00', SESSION sql_mode = " +
          "'STRICT_ALL_TABLES,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,ONLY_FULL_GROUP_BY,NO_ENGINE_SUBSTITUTION'";
        // The variable's name differs between MySQL 8 and MariaDB 10; the statement does not.
        connection.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED', (error) => {
          if (error) done(error, connection);
          else connection.query(settings, (second) => done(second, connection));
        });
      },
    },
    acquireConnectionTimeout: acquireTimeoutMs,
  });
}

function giveUpWhenSilent(socket: Socket, silenceLimitMs = 0): void {
  if (silenceLimitMs === 0) return;
  socket.setTimeout(silenceLimitMs, () => {
    const error = new Error(`nothing was heard from the database for ${silenceLimitMs} ms`);
    socket.destroy(Object.assign(error, { code: 'ETIMEDOUT' }));
  });
}

type QueryMark = { __knexQueryUid: string };
/** knex's pool, as far as it is looked at. */
type Pool = {
  numUsed(): number;
  numFree(): number;
  numPendingAcquires(): number;
  on(event: 'acquireFail', listener: () => void): void;
};

function observe(knex: Knex, observer: DatabaseObserver, limit: number): void {
  const startedAt = new Map<string, number>();
  knex.on('query', (query: QueryMark) => startedAt.set(query.__knexQueryUid, performance.now()));
  const finish = (query: QueryMark, isFailed: boolean): void => {
    const start = startedAt.get(query.__knexQueryUid);
    startedAt.delete(query.__knexQueryUid);
    if (start !== undefined) observer.onQuery((performance.now() - start) / 1_000, isFailed);
  };
  knex.on('query-response', (_response: unknown, query: QueryMark) => finish(query, false));
  // Many a duplicate is how the code asks whether somebody was first.
  knex.on('query-error', (error: unknown, query: QueryMark) => finish(query, !isUniqueViolation(error)));
  const { pool } = knex.client as { pool: Pool };
  pool.on('acquireFail', () => observer.onNoConnection());
  observer.watchPool(() => ({
    used: pool.numUsed(),
    free: pool.numFree(),
    waiting: pool.numPendingAcquires(),
    limit,
  }));
}

/** The database's own code: SQLSTATE on PostgreSQL, `ER_*` on MySQL/MariaDB; undefined for other errors. */
export function databaseErrorCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** Connection lost, refused, or shut down under us; too many of them. */
const awayCodes = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EPIPE', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH'],
  ...['57P01', '57P02', '57P03', '53300', '25P03', '08000', '08003', '08006', '08P01'],
  ...[
    'PROTOCOL_CONNECTION_LOST',
    'ER_SERVER_SHUTDOWN',
    'ER_CON_COUNT_ERROR',
    'ER_CONNECTION_KILLED',
    'ER_NEW_ABORTING_CONNECTION',
  ],
]);

/** True when the database could not be reached or was lost on the way: the same request may succeed in a moment. */
export function isDatabaseAway(error: unknown): boolean {
  const { name, message } = error as { name?: string; message?: string };
  // The drivers give these no code.
  const isLost = /^Connection terminated|^Can't add new command when connection is in closed state|timeout expired$/;
  return awayCodes.has(databaseErrorCode(error) ?? '') || name === 'KnexTimeoutError' || isLost.test(message ?? '');
}

/** True when the same transaction may succeed if it is simply run again. */
function isRetryableDatabaseError(error: unknown): boolean {
  return retryableCodes.has(databaseErrorCode(error) ?? '');
}

export function isUniqueViolation(error: unknown): boolean {
  const code = databaseErrorCode(error);
  return code === '23505' || code === 'ER_DUP_ENTRY';
}

const deniedCodes = new Set([
  '42501',
  'ER_TABLEACCESS_DENIED_ERROR',
  'ER_COLUMNACCESS_DENIED_ERROR',
  'ER_DBACCESS_DENIED_ERROR',
  'ER_SPECIFIC_ACCESS_DENIED_ERROR',
]);

/** True when our account has no right to what it asked for. */
export function isAccessDenied(error: unknown): boolean {
  return deniedCodes.has(databaseErrorCode(error) ?? '');
}

/** JSON columns come back parsed from PostgreSQL and MySQL, as text from MariaDB. */
export function fromJsonColumn(value: unknown): unknown {
  return typeof value === 'string' ? (JSON.parse(value) as unknown) : value;
}

/** Rows changed by a raw statement, on either database. */
export function affectedRows(result: unknown): number {
  if (Array.isArray(result)) return (result[0] as { affectedRows?: number }).affectedRows ?? 0;
  return (result as { rowCount?: number | null }).rowCount ?? 0;
}

/** Rows read by a raw statement, on either database. */
export function rowsOf<T>(result: unknown): T[] {
  return (Array.isArray(result) ? result[0] : (result as { rows: unknown }).rows) as T[];
}
