/** Who lives, how the database servers are, and for how long tables have partitions. */
import {
  Gauge,
  processNames,
  type DatabaseName,
  type LiveProcess,
  type Metrics,
  type ServerFigures,
} from '@omnizap/runtime';
import type { LeaderFigures } from './leader-figures.ts';

/** A size is a look at every file or table, and grows slowly. Partitions end days from now. */
const sizeIntervalMs = 300_000;

type Server = {
  /** Whose figures these are: both, where the queues live in the catalogue's database. */
  databases: DatabaseName[];
  figures: ServerFigures;
};

type FleetGaugeDeps = {
  metrics: Metrics;
  figures: LeaderFigures;
  processes: () => Promise<Pick<LiveProcess, 'processName'>[]>;
  servers: Server[];
  partitionEnds: (today: string) => Promise<{ table: string; endsAt: Date }[]>;
};

export function addFleetGauges(deps: FleetGaugeDeps): void {
  const { figures } = deps;
  const gauge = <T extends string>(name: string, help: string, label: T): Gauge<T> =>
    new Gauge({ name, help, labelNames: [label], registers: [deps.metrics.registry], collect: figures.leaveOutStale });
  const processes = gauge('omnizap_processes', 'Live processes, by their leases.', 'process');
  const partitions = gauge(
    'omnizap_partitions_end_timestamp_seconds',
    'From then on new rows have no partition of their own.',
    'table',
  );

  figures.add(
    {
      name: 'live processes',
      database: 'catalogue',
      async read() {
        const live = await deps.processes();
        processes.reset();
        for (const process of processNames) processes.set({ process }, 0);
        for (const { processName } of live) processes.inc({ process: processName });
      },
      leaveOut: () => processes.reset(),
    },
    {
      name: 'partitions of tables',
      database: 'catalogue',
      intervalMs: sizeIntervalMs,
      async read() {
        const ends = await deps.partitionEnds(new Date().toISOString().slice(0, 10));
        partitions.reset();
        for (const { table, endsAt } of ends) partitions.set({ table }, endsAt.getTime() / 1_000);
      },
      leaveOut: () => partitions.reset(),
    },
  );
  addServerGauges(deps.servers, figures, (name, help) => gauge(name, help, 'database'));
}

function addServerGauges(
  servers: Server[],
  figures: LeaderFigures,
  gauge: (name: string, help: string) => Gauge<'database'>,
): void {
  const size = gauge('omnizap_database_size_bytes', 'Size of the database by its server, which may count seldom.');
  const used = gauge('omnizap_database_connections', 'Connections of everybody to the server.');
  const limit = gauge(
    'omnizap_database_connections_limit',
    'Connections that the server allows for accounts like ours.',
  );
  const waiting = gauge('omnizap_database_lock_waits', 'Sessions that wait for a lock.');
  const longest = gauge(
    'omnizap_database_longest_lock_wait_seconds',
    'How long the first of the waiting sessions has.',
  );

  for (const { databases, figures: server } of servers) {
    const [database] = databases as [DatabaseName];
    const set = (one: Gauge<'database'>, value: number): void => {
      for (const name of databases) one.set({ database: name }, value);
    };
    const leaveOut =
      (...gauges: Gauge<'database'>[]) =>
      (): void => {
        for (const one of gauges) for (const name of databases) one.remove({ database: name });
      };
    figures.add(
      {
        name: `connections of the ${database}'s server`,
        database,
        async read() {
          const { used: now, max } = await server.connections();
          set(used, now);
          set(limit, max);
        },
        leaveOut: leaveOut(used, limit),
      },
      {
        name: `lock waits of the ${database}'s database`,
        database,
        async read() {
          const waits = await server.lockWaits();
          set(waiting, waits.waiting);
          set(longest, waits.longestSeconds);
        },
        leaveOut: leaveOut(waiting, longest),
      },
      {
        name: `size of the ${database}'s database`,
        database,
        intervalMs: sizeIntervalMs,
        read: async () => set(size, await server.sizeBytes()),
        leaveOut: leaveOut(size),
      },
    );
  }
}
