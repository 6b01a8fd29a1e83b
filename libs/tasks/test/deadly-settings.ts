import type { TaskSettings } from '../src/index.ts';

export const deadlySettings: TaskSettings = {
  type: 'deadly',
  retryLimit: 8,
  timeoutSeconds: 30,
  coalesceSeconds: 0,
  longestRetryMs: 50,
};
