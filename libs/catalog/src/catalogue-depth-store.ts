/** How much the catalogue's database waits for, outbox included, in one statement: the figures of one instant. */
import type { Knex } from 'knex';
import { outboxDepthQueries, toOutboxDepth, type DepthRow, type OutboxDepth } from '@omnizap/outbox';
import type { Database } from '@omnizap/runtime';
import { createReprocessStore } from './reprocess-store.ts';
import { ownTaskTypes } from './task-settings.ts';

export type CatalogueDepth = {
  outbox: OutboxDepth;
  /** Of task types whose failures are ours: receivers of webhooks are not. */
  deadTasks: number;
  reprocessPending: number;
  scorePending: number;
};

/** Which versions of the provider are in the table changes with a release; looking costs a walk of an index. */
const versionsKeptMs = 300_000;

/** Returns what reads it. A depth of millions of rows takes parts of a second: not for requests. */
export function createCatalogueDepth(database: Database, provider: { name: string; version: string }) {
  const { knex } = database;
  const reprocess = createReprocessStore(database, provider);
  let outdated: { versions: string[]; readAt: number } | undefined;

  const part = (name: string, rows: Knex.QueryBuilder): Knex.QueryBuilder =>
    rows.select(knex.raw('? AS name', [name]), knex.raw('COUNT(*) AS count'), knex.raw('NULL AS oldest_seconds'));

  return async (): Promise<CatalogueDepth> => {
    if (outdated === undefined || performance.now() - outdated.readAt > versionsKeptMs)
      outdated = { versions: await reprocess.outdatedVersions(), readAt: performance.now() };
    const parts = [
      ...outboxDepthQueries(database),
      part('dead_tasks', knex('sticker_worker_task_dlq').whereIn('task_type', ownTaskTypes)),
      part('reprocess', knex.from(reprocess.query(outdated.versions).as('reprocess'))),
      part('scores', knex('work_state').where({ task_type: 'rebuild', is_due: 1 })),
    ];
    const rows = (await knex.unionAll(parts, true)) as DepthRow[];
    const count = (name: string): number => Number(rows.find((row) => row.name === name)?.count ?? 0);
    return {
      outbox: toOutboxDepth(rows),
      deadTasks: count('dead_tasks'),
      reprocessPending: count('reprocess'),
      scorePending: count('scores'),
    };
  };
}
