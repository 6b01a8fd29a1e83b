import type { Knex } from 'knex';
import { affectedRows, errorText, type DatabaseKind } from '@omnizap/runtime';
import type { DeadLetterTable } from '@omnizap/outbox';
import type { DeadTask } from '@omnizap/tasks';

export const deadTasks: DeadLetterTable = {
  source: 'tasks',
  name: 'sticker_worker_task_dlq',
  typeColumn: 'task_type',
  subjectColumn: 'subject_id',
  itemColumn: 'task_id',
  orderColumn: 'id',
  ownColumns: ['event_id', 'version'],
  originOf: ({ type, subjectId }) => `${type}:${subjectId}`,
};

/**
 * False when the task is there already, or was and has been settled since: a report that comes late must not bring back what a
 * person has decided about.
 */
export async function insertDeadTask(trx: Knex.Transaction, kind: DatabaseKind, task: DeadTask): Promise<boolean> {
  const [verb, onConflict] = kind === 'mysql' ? ['INSERT IGNORE', ''] : ['INSERT', 'ON CONFLICT (task_id) DO NOTHING'];
  const carried = task.payload as { event_id?: number; request_id?: string; traceparent?: string; tracestate?: string };
  const result: unknown = await trx.raw(
    `${verb} INTO sticker_worker_task_dlq
       (task_id, task_type, subject_id, payload, attempts, last_error, first_failed_at, version, event_id, request_id,
        traceparent, tracestate)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ${onConflict}`,
    [
      task.id,
      task.taskType,
      task.subjectId,
      JSON.stringify(task.payload),
      task.attempts,
      errorText(task.error),
      task.firstFailedAt ?? null,
      task.version ?? null,
      carried.event_id ?? null,
      carried.request_id ?? null,
      carried.traceparent ?? null,
      carried.tracestate ?? null,
    ] as string[],
  );
  if (affectedRows(result) !== 1) return false;
  // Looked up after the insert: it has waited for a settlement that was under way.
  const origin = deadTasks.originOf({ type: task.taskType, subjectId: task.subjectId, itemId: task.id });
  const settled: unknown = await trx('dead_letter_history')
    .where({ source: 'tasks', origin, item_id: task.id })
    .first('id');
  if (settled === undefined) return true;
  await trx('sticker_worker_task_dlq').where({ task_id: task.id }).delete();
  return false;
}

/** Of these task types; of all without any. */
export async function countDeadTasks(db: Knex, taskTypes?: readonly string[]): Promise<number> {
  const query = db('sticker_worker_task_dlq');
  if (taskTypes) void query.whereIn('task_type', taskTypes);
  const rows = await query.count<{ count: number }[]>({ count: '*' });
  return rows[0]?.count ?? 0;
}
