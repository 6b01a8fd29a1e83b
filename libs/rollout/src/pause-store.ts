/** SQL of paused task types: their tasks wait, and nobody claims one, until somebody resumes them. */
import { writeAudit, type Database } from '@omnizap/runtime';
import type { Changer } from './flag-store.ts';

const mostActorCharacters = 120;

export type TaskPause = { taskType: string; pausedBy: string; reason: string; pausedAt: Date };

export function createTaskPauses(database: Pick<Database, 'knex' | 'transaction'>) {
  type Row = { task_type: string; paused_by: string; reason: string; paused_at: Date };

  return {
    async list(): Promise<TaskPause[]> {
      const rows = await database.knex('task_pause').orderBy('task_type').select<Row[]>('*');
      return rows.map((row) => ({
        taskType: row.task_type,
        pausedBy: row.paused_by,
        reason: row.reason,
        pausedAt: row.paused_at,
      }));
    },

    /** What is paused already keeps its date and its reason. Returns those that were not. */
    async pause(taskTypes: string[], by: Changer): Promise<string[]> {
      return database.transaction(async (trx) => {
        const paused = await trx('task_pause').whereIn('task_type', taskTypes).forUpdate().pluck<string[]>('task_type');
        const fresh = taskTypes.filter((type) => !paused.includes(type));
        for (const task_type of fresh) {
          await trx('task_pause').insert({
            ...{ task_type, reason: by.reason },
            paused_by: by.actor.slice(0, mostActorCharacters),
          });
          await writeAudit(trx, { ...by, action: 'tasks.pause', targetType: 'task_type', targetId: task_type });
        }
        return fresh;
      });
    },

    /** Returns those that were paused. */
    async resume(taskTypes: string[], by: Changer): Promise<string[]> {
      return database.transaction(async (trx) => {
        const paused = await trx('task_pause').whereIn('task_type', taskTypes).forUpdate().pluck<string[]>('task_type');
        await trx('task_pause').whereIn('task_type', paused).delete();
        for (const task_type of paused)
          await writeAudit(trx, { ...by, action: 'tasks.resume', targetType: 'task_type', targetId: task_type });
        return paused;
      });
    },
  };
}

/** A pause as commands and the API show it. */
export function pauseJson({ taskType, pausedBy, reason, pausedAt }: TaskPause) {
  return { task_type: taskType, paused_by: pausedBy, reason, paused_at: pausedAt.toISOString() };
}

export type TaskPauses = ReturnType<typeof createTaskPauses>;
