/** Which changes concern what the bucket and CDNs have. */
import type { Transaction } from '@omnizap/runtime';
import type { DomainEvent } from './events.ts';
import { itemsOfPack } from './pack-store.ts';

/** The events, those that decide whether somebody may see bytes now naming the stickers whose bytes these are. */
export async function withStoredAssets(trx: Transaction, events: DomainEvent[]): Promise<DomainEvent[]> {
  const named: DomainEvent[] = [];
  for (const event of events) {
    if (event.type === 'STICKER_READY' || event.type === 'STICKER_MODERATED') {
      named.push({ ...event, payload: { ...event.payload, stores: true } });
    } else if (event.type === 'PACK_UPDATED' && event.payload.action === 'moderated') {
      const items = await itemsOfPack(trx, event.payload.pack_id);
      const storedAssetIds = items.map(({ assetId }) => assetId);
      named.push({ ...event, payload: { ...event.payload, stored_asset_ids: storedAssetIds } });
    } else named.push(event);
  }
  return named;
}
