/** How the task queues are, for whoever looks from outside: no pg-boss is started, and nothing is waited for. */
import { createRequire } from 'node:module';
import { rowsOf, type Database } from '@omnizap/runtime';
import { deadLetterQueue } from './install-task-queues.ts';
import { countUnfinished } from './job-sql.ts';
import type { TaskCount } from './task-count.ts';
import { lanes, queueName, type TaskSettings } from './task-types.ts';

export type QueueState = {
  /** Of pg-boss's schema; null when it is not there. */
  schemaVersion: number | null;
  /** What this release works with. */
  neededSchemaVersion: number;
  /** Queues of this release that are not there. */
  missing: string[];
  /** Unfinished tasks. */
  counts: TaskCount[];
  /** Tasks that could be worked now and are not. */
  waiting: WaitingTasks[];
};

type WaitingTasks = { taskType: string; lane: string; count: number; longestSeconds: number };

const { pgboss } = createRequire(import.meta.url)('pg-boss/package.json') as { pgboss: { schema: number } };

const waitingSql = `SELECT name, COUNT(*)::int AS count,
    EXTRACT(EPOCH FROM clock_timestamp() - MIN(GREATEST(created_on, start_after)))::float8 AS longest
  FROM pgboss.job WHERE state IN ('created', 'retry') AND start_after <= now() AND name <> '${deadLetterQueue}' GROUP BY name`;

/** `database`: the queues', always PostgreSQL. */
export async function readQueueState(
  database: Pick<Database, 'knex'>,
  settings: Pick<TaskSettings, 'type'>[],
): Promise<QueueState> {
  const rows = async (sql: string): Promise<unknown[]> => rowsOf(await database.knex.raw(sql));
  const needed = settings.flatMap(({ type }) => lanes.map((lane) => queueName(type, lane)));
  const [table] = (await rows(`SELECT to_regclass('pgboss.version') IS NOT NULL AS present`)) as { present: boolean }[];
  if (table?.present !== true)
    return { schemaVersion: null, neededSchemaVersion: pgboss.schema, missing: needed, counts: [], waiting: [] };
  const [version] = (await rows('SELECT version FROM pgboss.version')) as { version: number }[];
  const present = new Set(
    ((await rows('SELECT name FROM pgboss.queue')) as { name: string }[]).map(({ name }) => name),
  );
  return {
    schemaVersion: version?.version ?? null,
    neededSchemaVersion: pgboss.schema,
    missing: needed.filter((name) => !present.has(name)),
    waiting: ((await rows(waitingSql)) as { name: string; count: number; longest: number }[]).map(
      ({ name, count, longest }) => {
        const [taskType = name, lane = ''] = name.split('.');
        return { taskType, lane, count, longestSeconds: longest };
      },
    ),
    counts: await countUnfinished({ executeSql: async (sql) => ({ rows: await rows(sql) }) }, deadLetterQueue),
  };
}
