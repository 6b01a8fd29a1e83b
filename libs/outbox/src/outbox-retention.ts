/** How long events stay. */
import type { RetentionPolicy } from '@omnizap/runtime';

export const outboxRetention: RetentionPolicy[] = [
  {
    name: 'finished-events',
    table: 'domain_event_outbox',
    keep: { days: 7 },
    // An event says that something changed; what it changed to is in the tables, and its task has been handed over.
    action: 'drop',
    condition: "status = 'completed'",
    ageColumn: 'processed_at',
    reason:
      'A week to look into what happened. Dropped: the tables hold the state, an event only said that it changed.',
  },
  {
    name: 'dead-events',
    table: 'domain_event_outbox_dlq',
    keep: 'for-ever',
    createdColumn: 'failed_at',
    reason: 'Until a person redrives or discards them.',
  },
  {
    name: 'settled-dead-letters',
    table: 'dead_letter_history',
    keep: { days: 365 },
    action: 'archive',
    createdColumn: 'settled_at',
    reason:
      'A year to see what failed before, and who decided what. Archived: they are the only trace of what was discarded.',
  },
];
