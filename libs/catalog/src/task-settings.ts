/** The kinds of task of the catalogue and how each is queued. */
import type { TaskSettings } from '@omnizap/tasks';

/** `derivative` is worked by the classification process, after classification: making WebPs must not delay knowing what came. */
export const taskTypes = ['classification', 'derivative', 'curation', 'rebuild'] as const;
export type TaskType = (typeof taskTypes)[number];

export const taskSettings: TaskSettings[] = [
  { type: 'classification', retryLimit: 5, timeoutSeconds: 60, coalesceSeconds: 0 },
  { type: 'derivative', retryLimit: 5, timeoutSeconds: 120, coalesceSeconds: 0 },
  // A theme or a pack changes with each of its stickers; a second or two of patience turns a burst into one look.
  { type: 'curation', retryLimit: 5, timeoutSeconds: 60, coalesceSeconds: 2 },
  { type: 'rebuild', retryLimit: 5, timeoutSeconds: 30, coalesceSeconds: 1 },
];
