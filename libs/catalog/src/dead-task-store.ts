import type { Knex } from 'knex';
import { affectedRows, type DatabaseKind } from '@omnizap/runtime';
import type { DeadTask } from '@omnizap/tasks';

/** False when the task is there already. */
export async function insertDeadTask(trx: Knex.Transaction, kind: DatabaseKind, task: DeadTask): Promise<boolean> {
  const [verb, onConflict] = kind === 'mysql' ? ['INSERT IGNORE', ''] : ['INSERT', 'ON CONFLICT (task_id) DO NOTHING'];
  const result: unknown = await trx.raw(
    `${verb} INTO sticker_worker_task_dlq (task_id, task_type, subject_id, payload, attempts, last_error)
     VALUES (?, ?, ?, ?, ?, ?) ${onConflict}`,
    [task.id, task.taskType, task.subjectId, JSON.stringify(task.payload), task.attempts, task.error],
  );
  return affectedRows(result) === 1;
}

export async function countDeadTasks(db: Knex): Promise<number> {
  const rows = await db('sticker_worker_task_dlq').count<{ count: number }[]>({ count: '*' });
  return rows[0]?.count ?? 0;
}
