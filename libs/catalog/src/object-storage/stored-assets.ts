/** Which changes concern what the bucket and CDNs have. */
import type { Transaction } from '@omnizap/runtime';
import type { DomainEvent } from '../events.ts';
import { itemsOfPack } from '../pack-store.ts';

const storing = <E extends { payload: object }>(event: E): E => ({
  ...event,
  payload: { ...event.payload, stores: true },
});

function isRejection(event: DomainEvent): event is Extract<DomainEvent, { type: 'STICKER_CLASSIFIED' }> {
  return event.type === 'STICKER_CLASSIFIED' && event.payload.is_rejected;
}

/** The events, those that decide whether somebody may see bytes now naming the stickers whose bytes these are. */
export async function withStoredAssets(trx: Transaction, events: DomainEvent[]): Promise<DomainEvent[]> {
  const named: DomainEvent[] = [];
  for (const event of events) {
    if (event.type === 'STICKER_READY' || event.type === 'STICKER_MODERATED' || isRejection(event)) {
      named.push(storing(event));
    } else if (event.type === 'PACK_UPDATED' && event.payload.action === 'moderated') {
      const items = await itemsOfPack(trx, event.payload.pack_id);
      const storedAssetIds = items.map(({ assetId }) => assetId);
      named.push({ ...event, payload: { ...event.payload, stored_asset_ids: storedAssetIds } });
    } else named.push(event);
  }
  return named;
}
