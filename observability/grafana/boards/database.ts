/** Both databases as the processes see them, and as they see themselves. */
import type { Board } from '../board.ts';
import { limitsOf } from '../limits.ts';
import { countOf, failedPart, fromLeader, greatest, mean, perSecond, quantile, series, sumOf } from '../queries.ts';

const duration = 'omnizap_database_query_duration_seconds';
const pool = 'omnizap_database_pool_connections';

export const database: Board = {
  uid: 'database',
  title: 'Database',
  description: 'Do the databases answer, does anybody wait for them, and how full are they?',
  rows: [
    {
      title: 'Do they answer?',
      panels: [
        {
          kind: 'timeseries',
          title: 'Queries',
          description: 'Queries per second, by database. Where one server is both, it is shown under both names.',
          unit: 'ops',
          width: 8,
          targets: [{ expr: perSecond(['database'], `${duration}_count`), legend: '{{database}}' }],
        },
        {
          kind: 'timeseries',
          title: 'Queries take',
          description: 'As the processes see them. The line is where the mean wakes somebody.',
          unit: 's',
          width: 8,
          targets: [
            { expr: mean(['database'], duration), legend: '{{database}} mean' },
            { expr: quantile(0.99, ['database'], duration), legend: '{{database}} p99' },
          ],
          limits: limitsOf(['DatabaseQueriesSlow']),
        },
        {
          kind: 'timeseries',
          title: 'Failed queries',
          description:
            'In parts of all queries: refused, cut off, deadlocked. Conflicts that are tried again count as well. 100 % when none ends well.',
          unit: 'percentunit',
          width: 8,
          targets: [
            {
              expr: failedPart(
                perSecond(['database'], 'omnizap_database_query_errors_total'),
                perSecond(['database'], `${duration}_count`),
              ),
              legend: '{{database}}',
            },
          ],
          limits: limitsOf(['DatabaseFailing']),
        },
        {
          kind: 'timeseries',
          title: 'Queries longer than a second',
          description: 'In each interval, by database and by who asked.',
          unit: 'short',
          width: 8,
          targets: [
            {
              expr: countOf(['database', 'process'], 'omnizap_database_slow_queries_total'),
              legend: '{{database}} {{process}}',
              emptyWhile: 'none was slow',
            },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Queries take, mean, by process',
          description: 'One kind of process that waits longer than the others asks for too much at once.',
          unit: 's',
          width: 8,
          targets: [{ expr: mean(['database', 'process'], duration), legend: '{{database}} {{process}}' }],
          limits: limitsOf(['DatabaseQueriesSlow']),
        },
        {
          kind: 'timeseries',
          title: 'Queries by process',
          description: 'Queries per second by who asks.',
          unit: 'ops',
          width: 8,
          isStacked: true,
          targets: [{ expr: perSecond(['process'], `${duration}_count`), legend: '{{process}}' }],
        },
      ],
    },
    {
      title: 'Does anybody wait?',
      panels: [
        {
          kind: 'timeseries',
          title: 'Callers without a connection',
          description:
            'In a process they wait for one of its pool: always some means that the pool is too small, or that queries are slow.',
          unit: 'short',
          width: 8,
          targets: [
            { expr: sumOf(['database', 'process'], pool, 'state="waiting"'), legend: '{{database}} {{process}}' },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Pools in use',
          description: 'The fullest pool of each kind of process: connections in use of those that it may have.',
          unit: 'percentunit',
          width: 8,
          targets: [
            {
              expr: `max by (database, process) (${series(pool, 'state="used"')} / ignoring (state) ${series('omnizap_database_pool_limit')})`,
              legend: '{{database}} {{process}}',
            },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Connections of the servers',
          description: 'Of all that the server may have, whoever has them. At 100 % nobody else gets in.',
          unit: 'percentunit',
          width: 8,
          targets: [
            {
              expr: `${fromLeader(['database'], 'omnizap_database_connections')} / ${fromLeader(['database'], 'omnizap_database_connections_limit')}`,
              legend: '{{database}}',
            },
          ],
          limits: limitsOf(['DatabaseConnectionsHigh']),
        },
        {
          kind: 'timeseries',
          title: 'Waiting for a lock',
          description: 'Sessions that wait for a lock of another one, when the leader looked.',
          unit: 'short',
          width: 8,
          targets: [{ expr: fromLeader(['database'], 'omnizap_database_lock_waits'), legend: '{{database}}' }],
        },
        {
          kind: 'timeseries',
          title: 'Longest wait for a lock',
          description: 'Of those that waited when the leader looked; 0 when none did.',
          unit: 's',
          width: 8,
          targets: [
            { expr: fromLeader(['database'], 'omnizap_database_longest_lock_wait_seconds'), legend: '{{database}}' },
          ],
          limits: limitsOf(['DatabaseLockWaits']),
        },
        {
          kind: 'timeseries',
          title: 'Connections by process',
          description: 'Open connections of each kind of process, used and idle.',
          unit: 'short',
          width: 8,
          isStacked: true,
          targets: [
            {
              expr: sumOf(['database', 'process'], pool, 'state=~"used|free"'),
              legend: '{{database}} {{process}}',
            },
          ],
        },
      ],
    },
    {
      title: 'How full are they?',
      panels: [
        {
          kind: 'timeseries',
          title: 'Size',
          description: 'Of each database on its disk, indexes included.',
          unit: 'bytes',
          width: 8,
          targets: [{ expr: fromLeader(['database'], 'omnizap_database_size_bytes'), legend: '{{database}}' }],
          limits: limitsOf(['DatabaseSizeHigh']),
        },
        {
          kind: 'timeseries',
          title: 'Growth',
          description: 'Bytes per second over the last hour. Below 0 after retention has removed partitions.',
          unit: 'binBps',
          width: 8,
          targets: [
            {
              expr: `max by (database) (deriv(${series('omnizap_database_size_bytes')}[1h]))`,
              legend: '{{database}}',
            },
          ],
        },
        {
          kind: 'timeseries',
          title: 'Partitions for',
          description:
            'How long there are partitions for new rows of each table that is divided by day. The leader adds them.',
          unit: 's',
          width: 8,
          targets: [
            {
              expr: `${fromLeader(['table'], 'omnizap_partitions_end_timestamp_seconds')} - time()`,
              legend: '{{table}}',
              emptyWhile: 'no table is divided by day',
            },
          ],
          limits: limitsOf(['PartitionsMissing']),
        },
        {
          kind: 'timeseries',
          title: 'Retention: last complete run',
          description: 'How long ago each policy last came to its end. Policies run once a day.',
          unit: 's',
          width: 12,
          targets: [
            {
              expr: `time() - ${greatest(['policy'], 'omnizap_retention_last_success_timestamp_seconds')}`,
              legend: '{{policy}}',
              emptyWhile: 'no policy has run since the processes were started',
            },
          ],
          limits: limitsOf(['RetentionOverdue']),
        },
        {
          kind: 'timeseries',
          title: 'Retention: rows removed',
          description: 'In each interval, by policy.',
          unit: 'short',
          width: 12,
          targets: [
            {
              expr: countOf(['policy'], 'omnizap_retention_removed_rows_total'),
              legend: '{{policy}}',
              emptyWhile: 'nothing was old enough',
            },
          ],
        },
      ],
    },
  ],
};
