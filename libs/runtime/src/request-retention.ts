/** How long it is remembered which requests were made. */
import type { RetentionPolicy } from './retention-policy.ts';

export const requestRetention: RetentionPolicy[] = [
  {
    name: 'idempotency-keys',
    table: 'idempotency_key',
    keep: { days: 1 },
    action: 'drop',
    reason: 'A client that is not sure whether its request arrived asks again within a day.',
  },
  {
    name: 'rate-limits',
    table: 'rate_limit',
    keep: { days: 1 },
    action: 'drop',
    ageColumn: 'seen_at',
    reason: 'Counts of a minute; a client that has not been seen for a day begins anew.',
  },
];
