/**
 * Statements as the database server itself logs them, by the name that each connection gives itself: pg-boss's count as well as
 * ours, `BEGIN` and `COMMIT` too.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { BenchFleet } from './bench-fleet.ts';

const logMark = 'bench-statement';
const logSettings = ['log_line_prefix', 'log_statement'];

export type Statement = {
  /** `application_name`: `omnizap <process>`, and `omnizap <process or worker> tasks` for its queue. */
  connection: string;
  text: string;
  /** `$1 = 'x', $2 = '1'`; empty when it had none. */
  parameters: string;
};

/** Calls `listener` with each statement until the returned function is called, which puts the server's settings back. */
export async function watchStatements(
  fleet: BenchFleet,
  listener: (statement: Statement) => void,
): Promise<() => Promise<void>> {
  const started = new RegExp(`^${logMark} \\[(.*?)\\] LOG: +(?:statement|execute [^:]*): *(.*)`);
  const detail = new RegExp(`^${logMark} \\[.*?\\] DETAIL: +parameters: (.*)`, 'i');
  let last: Statement | undefined;
  const flush = (): void => {
    if (last !== undefined) listener(last);
    last = undefined;
  };
  const unsubscribe = fleet.onDatabaseLog((line) => {
    // The server writes a statement and its parameters as one message: nothing comes in between.
    const parameters = detail.exec(line)?.[1];
    if (parameters !== undefined && last !== undefined) last.parameters = parameters;
    const [, connection, text = ''] = started.exec(line) ?? [];
    if (connection === undefined && parameters === undefined) return;
    flush();
    if (connection !== undefined) last = { connection, text, parameters: '' };
  });
  await configureLog(fleet, [`${logMark} [%a] `, 'all']);
  return async () => {
    await configureLog(fleet, [null, null]);
    unsubscribe();
    flush();
  };
}

/** Over so many seconds: statements by connection, and transactions of the whole database as the cross-check. */
export async function countStatements(
  fleet: BenchFleet,
  seconds: number,
  signal: AbortSignal,
): Promise<{ statements: Map<string, number>; transactions: number }> {
  const statements = new Map<string, number>();
  const stop = await watchStatements(fleet, ({ connection }) => {
    statements.set(connection, (statements.get(connection) ?? 0) + 1);
  });
  // Without it a session reads the statistics once and then keeps them.
  await fleet.query(`SET stats_fetch_consistency = 'none'`);
  try {
    const before = await committed(fleet);
    await delay(seconds * 1_000, undefined, { signal });
    return { statements, transactions: (await committed(fleet)) - before };
  } finally {
    if (!signal.aborted) await stop();
  }
}

/** Of a process, its queue's connections included. */
export function perSecondOf(processName: string, statements: Map<string, number>, seconds: number): number {
  const names = [`omnizap ${processName}`, `omnizap ${processName.replace(/^worker-/, '')} tasks`];
  return names.reduce((sum, name) => sum + (statements.get(name) ?? 0), 0) / seconds;
}

async function configureLog(fleet: BenchFleet, values: (string | null)[]): Promise<void> {
  for (const [index, name] of logSettings.entries()) {
    const value = values[index] ?? null;
    await fleet.query(value === null ? `ALTER SYSTEM RESET ${name}` : `ALTER SYSTEM SET ${name} = '${value}'`);
  }
  await fleet.query('SELECT pg_reload_conf()');
}

async function committed(fleet: BenchFleet): Promise<number> {
  const [row] = await fleet.query<{ count: string }>(
    'SELECT xact_commit AS count FROM pg_stat_database WHERE datname = current_database()',
  );
  return Number(row?.count);
}
