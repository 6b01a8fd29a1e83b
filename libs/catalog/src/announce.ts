/**
 * A change tells the world in its own transaction: wanted versions rise and the events are appended, or nothing happened. What
 * `enable_domain_event_outbox` leaves out is wanted all the same: sweeps find it.
 */
import { appendEvents } from '@omnizap/outbox';
import type { Flags } from '@omnizap/rollout';
import type { Database, Transaction } from '@omnizap/runtime';
import { aggregateIdOf, priorityOf, subjectsOf, type DomainEvent } from './events.ts';
import { withWebhookMessages } from './webhook-events.ts';
import { withStoredAssets } from './object-storage/stored-assets.ts';
import { wantWork } from './work-state-store.ts';

export type AnnounceDeps = {
  database: Database;
  flags: Pick<Flags, 'isOn'>;
  /** There is a bucket, or a CDN, that has to follow what may be seen. Default false. */
  storesObjects?: boolean | undefined;
};

/** The rows of the events' aggregates must be locked by `trx` already. */
export async function announce(
  trx: Transaction,
  { database, flags, storesObjects = false }: AnnounceDeps,
  changes: DomainEvent[],
  requestId: string | undefined,
): Promise<void> {
  const told = await withWebhookMessages(trx, changes);
  const events = storesObjects ? await withStoredAssets(trx, told) : told;
  await wantWork(trx, database.kind, events.flatMap(subjectsOf));
  const announced = events.filter((event) =>
    flags.isOn('enable_domain_event_outbox', `${event.aggregateType}:${aggregateIdOf(event)}`),
  );
  await appendEvents(
    trx,
    announced.map((event) => ({
      type: event.type,
      aggregateType: event.aggregateType,
      aggregateId: aggregateIdOf(event),
      payload: event.payload,
      priority: priorityOf(event),
      requestId,
    })),
  );
}
