/** The groups of commands. A new one is a file in groups/ and a line here. */
import type { Group } from './command.ts';
import { dlq } from './groups/dlq.ts';
import { doctor } from './groups/doctor.ts';
import { flags } from './groups/flags.ts';
import { moderation } from './groups/moderation.ts';
import { outbox } from './groups/outbox.ts';
import { queues } from './groups/queues.ts';
import { release } from './groups/release.ts';
import { retention } from './groups/retention.ts';
import { rollout } from './groups/rollout.ts';
import { storage } from './groups/storage.ts';
import { trace } from './groups/trace.ts';
import { validate } from './groups/validate.ts';

export const groups: Group[] = [
  dlq,
  doctor,
  flags,
  moderation,
  outbox,
  queues,
  release,
  retention,
  rollout,
  storage,
  trace,
  validate,
];
