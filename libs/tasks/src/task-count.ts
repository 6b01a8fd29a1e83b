/** How many tasks of one type are in one state, in one lane. */

export type TaskCount = { taskType: string; lane: string; state: string; count: number; oldestSeconds: number };

/** As commands and the API show it. */
export function taskCountJson({ taskType, lane, state, count, oldestSeconds }: TaskCount) {
  return { task_type: taskType, lane, state, count, oldest_seconds: Math.round(oldestSeconds) };
}
