/** The kinds of task of the catalogue and how each is queued. */
import type { TaskSettings } from '@omnizap/tasks';

/** `derivative` is worked by the classification process, after classification: making WebPs must not delay knowing what came. */
export const taskTypes = ['classification', 'derivative', 'curation', 'rebuild'] as const;
export type TaskType = (typeof taskTypes)[number];

/** Eight retries with doubling delays span four to eight minutes: a full disk or a database restart is over by then, or a person is needed. */
const retryLimit = 8;

export const taskSettings: TaskSettings[] = [
  { type: 'classification', retryLimit, timeoutSeconds: 60, coalesceSeconds: 0 },
  { type: 'derivative', retryLimit, timeoutSeconds: 120, coalesceSeconds: 0 },
  // A theme or a pack changes with each of its stickers; a second or two of patience turns a burst into one look.
  { type: 'curation', retryLimit, timeoutSeconds: 60, coalesceSeconds: 2 },
  { type: 'rebuild', retryLimit, timeoutSeconds: 30, coalesceSeconds: 1 },
];
