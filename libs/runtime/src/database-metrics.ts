/** What one process does with its databases: answers, failures and connections. What the servers say of themselves is the leader's. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** The queue's is pg-boss's PostgreSQL, also where it is the catalogue's own. */
export type DatabaseName = 'catalogue' | 'queue';

/** `free` are open and idle; `waiting` are callers without a connection. */
export type PoolUse = { used: number; free: number; waiting: number; limit: number };

/** Told by a connection pool what happens in it. */
export type DatabaseObserver = {
  /** A statement was answered, or failed, after so many seconds. */
  onQuery(seconds: number, isFailed: boolean): void;
  /** A caller went away without a connection. */
  onNoConnection(): void;
  /** `read` is called at each scrape; it must not wait for anything. */
  watchPool(read: () => PoolUse): void;
};

const buckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
/** Statements of ours take milliseconds, and the longest, a ranking's, parts of a second. */
const slowSeconds = 1;

export function createDatabaseMetrics(registry: Registry): (database: DatabaseName) => DatabaseObserver {
  const registers = [registry];
  const pools = new Map<DatabaseName, () => PoolUse>();
  const queries = new Histogram({
    name: 'omnizap_database_query_duration_seconds',
    help: 'Time from sending a query to its answer.',
    labelNames: ['database'],
    buckets,
    registers,
  });
  const slow = new Counter({
    name: 'omnizap_database_slow_queries_total',
    help: 'Queries whose answer took longer than a second.',
    labelNames: ['database'],
    registers,
  });
  const errors = new Counter({
    name: 'omnizap_database_query_errors_total',
    help: 'Queries that failed, but for duplicates that the code asks for, and connections that could not be had.',
    labelNames: ['database'],
    registers,
  });
  new Gauge({
    name: 'omnizap_database_pool_connections',
    help: 'Connections of this process in use and idle, and callers that wait for one.',
    labelNames: ['database', 'state'],
    registers,
    collect() {
      for (const [database, read] of pools) {
        const use = read();
        for (const state of ['used', 'free', 'waiting'] as const) this.set({ database, state }, use[state]);
      }
    },
  });
  new Gauge({
    name: 'omnizap_database_pool_limit',
    help: 'Connections that this process may have at most.',
    labelNames: ['database'],
    registers,
    collect() {
      for (const [database, read] of pools) this.set({ database }, read().limit);
    },
  });

  return (database) => {
    // Counters begin at 0: the first failure would otherwise be no increase.
    slow.inc({ database }, 0);
    errors.inc({ database }, 0);
    return {
      onQuery(seconds, isFailed) {
        queries.observe({ database }, seconds);
        if (seconds > slowSeconds) slow.inc({ database });
        if (isFailed) errors.inc({ database });
      },
      onNoConnection: () => errors.inc({ database }),
      watchPool: (read) => void pools.set(database, read),
    };
  };
}
