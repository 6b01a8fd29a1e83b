/** Both databases: the catalogue's and the queues'. They may be one server. */
import type { Alert } from '../alert.ts';
import { becauseOfSame, blindness } from './causes.ts';

export const databaseAlerts: readonly Alert[] = [
  {
    name: 'DatabaseFailing',
    group: 'database',
    severity: 'critical',
    expression:
      'database:omnizap_database_query_errors:ratio_rate5m > $limit and database:omnizap_database_query_errors:rate5m > 0.1',
    limit: 0.25,
    fires: 'above',
    for: '2m',
    summary: 'The {{ $labels.database }} database refuses or loses queries',
    condition: 'more than 25 % of the queries end with an error over 5 minutes, more than 6 a minute',
    action: 'Run the doctor: is the server up, full, or out of connections?',
    inhibitedBy: blindness,
  },
  {
    name: 'DatabaseQueriesSlow',
    group: 'database',
    severity: 'critical',
    expression:
      'database:omnizap_database_query_duration_seconds:mean_5m > $limit and database:omnizap_database_queries:rate5m > 0.1',
    limit: 1,
    fires: 'above',
    for: '10m',
    summary: 'A query of the {{ $labels.database }} database takes more than a second on average',
    condition: 'the mean query takes more than 1000 ms over 5 minutes, with more than 6 queries a minute',
    action: 'Look at what runs on the server: locks, a missing index, a full disk, another tenant.',
    inhibitedBy: [...blindness, ...becauseOfSame('database', 'DatabaseFailing')],
  },
  {
    name: 'DatabaseLockWaits',
    group: 'database',
    severity: 'high',
    // A look every quarter of a minute often falls between two waits: one in two minutes has to see some.
    expression: 'max by (database) (max_over_time(omnizap_database_longest_lock_wait_seconds[2m])) > $limit',
    limit: 0.2,
    fires: 'above',
    for: '10m',
    summary: 'Sessions of the {{ $labels.database }} database wait for locks',
    condition:
      'in every two minutes for 10 minutes a wait for a lock is seen that is longer than 200 ms (1 s on MariaDB and MySQL, which tell whole seconds)',
    action: 'Find the session that holds the lock, and end it if it is a person or a backup.',
    inhibitedBy: [...blindness, ...becauseOfSame('database', 'DatabaseFailing')],
  },
  {
    name: 'DatabaseSlowQueries',
    group: 'database',
    severity: 'medium',
    expression: 'sum by (database) (increase(omnizap_database_slow_queries_total[10m])) > $limit',
    limit: 30,
    fires: 'above',
    for: '10m',
    summary: 'Many single queries of the {{ $labels.database }} database take more than a second',
    condition: 'more than 30 queries in 10 minutes take longer than 1 s each',
    action: 'Find the statement on the server and read its plan.',
    inhibitedBy: [
      ...blindness,
      ...becauseOfSame('database', 'DatabaseFailing', 'DatabaseQueriesSlow', 'DatabaseLockWaits'),
    ],
  },
  {
    name: 'DatabaseConnectionsHigh',
    group: 'database',
    severity: 'high',
    expression:
      'max by (database) (omnizap_database_connections) / max by (database) (omnizap_database_connections_limit) > $limit',
    limit: 0.8,
    fires: 'above',
    for: '10m',
    summary: 'The server of the {{ $labels.database }} database is nearly out of connections',
    condition: 'more than 80 % of the connections that the server allows are taken',
    action: 'See who holds them; lower DATABASE_POOL_MAX or raise the limit of the server.',
    inhibitedBy: [...blindness, ...becauseOfSame('database', 'DatabaseFailing')],
  },
  {
    name: 'DatabasePoolExhausted',
    group: 'database',
    severity: 'high',
    expression:
      'min by (database, process, instance) (min_over_time(omnizap_database_pool_connections{state="waiting"}[2m])) > $limit',
    limit: 0,
    fires: 'above',
    for: '5m',
    summary:
      '{{ $labels.process }} at {{ $labels.instance }} waits for connections to the {{ $labels.database }} database',
    condition: 'at every scrape for 5 minutes somebody in a process waits for a connection of its pool',
    action: 'See whether queries are slow; if not, raise DATABASE_POOL_MAX or add a process.',
    inhibitedBy: [
      ...blindness,
      ...becauseOfSame('database', 'DatabaseFailing', 'DatabaseQueriesSlow', 'DatabaseLockWaits'),
    ],
  },
  {
    name: 'DatabaseSizeHigh',
    group: 'database',
    severity: 'medium',
    expression: 'max by (database) (omnizap_database_size_bytes) > $limit',
    limit: 50 * 1_024 ** 3,
    fires: 'above',
    for: '30m',
    summary: 'The {{ $labels.database }} database is larger than planned',
    condition: 'the database is larger than 53687091200 bytes (50 GiB)',
    action: 'See which table it is, whether retention runs, and how much disk is left.',
    inhibitedBy: blindness,
  },
  {
    name: 'DatabaseGrowingFast',
    group: 'database',
    severity: 'medium',
    expression:
      'database:omnizap_database_size_bytes:max > $limit * (database:omnizap_database_size_bytes:max offset 1d) and database:omnizap_database_size_bytes:max > 1073741824',
    limit: 1.3,
    fires: 'above',
    for: '30m',
    summary: 'The {{ $labels.database }} database has grown by a third in a day',
    condition: 'the database is more than 1.3 x as large as a day ago, and larger than 1 GiB',
    action: 'See which table grows: a bulk import ends by itself, retention that stands still does not.',
    inhibitedBy: blindness,
  },
];
