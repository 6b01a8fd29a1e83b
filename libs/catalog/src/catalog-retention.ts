/** How long the catalogue's growing tables keep their rows. */
import { outboxRetention } from '@omnizap/outbox';
import { requestRetention, type DatabaseKind, type RetentionPolicy } from '@omnizap/runtime';
import { addToTotals, takeFromTotals } from './interaction-total-store.ts';
import { forgetMessages } from './webhook-store.ts';

/** Every policy there is, those of outbox and requests included: whoever carries them out or lists them takes all. */
export function retentionPolicies(kind: DatabaseKind): RetentionPolicy[] {
  return [...outboxRetention, ...requestRetention, ...catalogRetention(kind)];
}

export function catalogRetention(kind: DatabaseKind): RetentionPolicy[] {
  return [
    {
      name: 'interactions',
      table: 'sticker_pack_interaction_event',
      keep: { days: 180 },
      action: 'archive',
      beforeDelete: (trx, ids) => addToTotals(trx, kind, ids),
      afterRestore: (trx, ids) => takeFromTotals(trx, ids),
      reason:
        'Half a year of opens, likes, dislikes and downloads for analyses. What leaves stays counted in the totals of its pack.',
    },
    {
      name: 'interaction-days',
      table: 'sticker_pack_interaction_day',
      createdColumn: 'day',
      keep: { days: 400 },
      action: 'drop',
      reason: 'A year and a month, to compare a month with the same one a year ago. What is older stays in the totals.',
    },
    {
      name: 'closed-reports',
      table: 'sticker_report',
      keep: { days: 365 },
      action: 'drop',
      condition: "state <> 'open'",
      ageColumn: 'closed_at',
      reason: 'Who reports the same again counts once in that time; what was decided is in the audit log.',
    },
    {
      name: 'webhook-messages',
      table: 'webhook_message',
      keep: { days: 30 },
      action: 'drop',
      beforeDelete: (trx, ids) => forgetMessages(trx, { ids }),
      reason: 'What no receiver took, for as long as somebody may redrive it. What was taken is gone at once.',
    },
    {
      name: 'owner-sessions',
      table: 'owner_session',
      keep: { days: 1 },
      action: 'drop',
      ageColumn: 'expires_at',
      reason: 'A session that is over lets nobody in.',
    },
    {
      name: 'dead-tasks',
      table: 'sticker_worker_task_dlq',
      keep: 'for-ever',
      createdColumn: 'failed_at',
      reason: 'Until a person redrives or discards them.',
    },
    {
      name: 'audit',
      table: 'admin_action_audit',
      keep: 'for-ever',
      reason: 'Who changed what is never forgotten.',
    },
  ];
}
