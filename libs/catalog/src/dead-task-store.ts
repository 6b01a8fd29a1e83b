import type { Knex } from 'knex';
import type { DeadTask } from '@omnizap/tasks';

export async function insertDeadTask(trx: Knex.Transaction, task: DeadTask): Promise<void> {
  await trx('sticker_worker_task_dlq')
    .insert({
      task_id: task.id,
      task_type: task.taskType,
      subject_id: task.subjectId,
      payload: JSON.stringify(task.payload),
      attempts: task.attempts,
      last_error: task.error,
    })
    .onConflict('task_id')
    .ignore();
}

export async function countDeadTasks(db: Knex): Promise<number> {
  const rows = await db('sticker_worker_task_dlq').count<{ count: number }[]>({ count: '*' });
  return rows[0]?.count ?? 0;
}
