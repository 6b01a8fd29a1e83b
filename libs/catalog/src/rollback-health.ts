/** What a rollback has to know before it lets a flag stay: from the catalogue's database alone. */
import { createOutboxStore } from '@omnizap/outbox';
import type { HealthSources } from '@omnizap/rollout';
import type { Database } from '@omnizap/runtime';
import { rankingAgeSeconds } from './ranking-age.ts';

export function createHealthSources(database: Database): HealthSources {
  return {
    outboxDepth: createOutboxStore(database).depth,
    snapshotAgeSeconds: () => rankingAgeSeconds(database),
  };
}
