/** How a decision about a pack or a sticker is announced: what ranks or curates them looks again. */
import type { Transaction } from '@omnizap/runtime';
import { findClassification } from './asset-store.ts';
import type { DomainEvent } from './events.ts';
import { packsOfAsset, themesOfPack } from './pack-store.ts';
import { packUpdated } from './packs.ts';

export async function packModerated(trx: Transaction, packId: string): Promise<DomainEvent> {
  return packUpdated(packId, 'moderated', await themesOfPack(trx, packId));
}

export async function stickerModerated(trx: Transaction, assetId: string): Promise<DomainEvent> {
  const theme = (await findClassification(trx, assetId))?.themeKey;
  return {
    type: 'STICKER_MODERATED',
    aggregateType: 'sticker_asset',
    payload: {
      asset_id: assetId,
      pack_ids: await packsOfAsset(trx, assetId),
      theme_keys: theme === undefined ? [] : [theme],
    },
  };
}
