/** New bytes in the place of old ones: position, words and the choice of cover stay with the place. */
import { isDeepStrictEqual } from 'node:util';
import { v7 as uuidv7 } from 'uuid';
import { AppError, isUniqueViolation } from '@omnizap/runtime';
import { findAssetByContent, insertAsset } from './asset-store.ts';
import { assertContentMayEnter, assertOwnerMayWrite } from './ban-store.ts';
import { createPackChange, describedAnew, isPublic, type Change, type ChangeOptions } from './pack-change.ts';
import { findItem, updateItem } from './pack-edit-store.ts';
import { stickerNotFound } from './pack-edits.ts';
import { findPackByKey, packsOfAsset, themesOfPack } from './pack-store.ts';
import { requireOwnPack, type Actor } from './packs.ts';
import { stickerEvent, type AddedSticker, type StickerUpload, type UploadDeps } from './uploads.ts';

/** Null: as the old sticker has it. */
export type Replacement = Omit<StickerUpload, 'emojis' | 'accessibilityLabel'> & {
  emojis: string[] | null;
  accessibilityLabel: string | null;
};

export type ReplaceSticker = ReturnType<typeof createReplaceSticker>;

export function createReplaceSticker(deps: UploadDeps) {
  const { database, store } = deps;
  const changePack = createPackChange(deps);

  return {
    /** Refuses what the transaction would refuse, before a byte is received. `stickerId` null: looks at the pack alone. */
    async check(actor: Actor, packKey: string, stickerId: string | null): Promise<void> {
      const pack = requireOwnPack(await findPackByKey(database.knex, packKey), actor, packKey);
      await assertOwnerMayWrite(database.knex, actor.ownerId);
      if (stickerId !== null && !(await findItem(database.knex, pack.id, stickerId)))
        throw stickerNotFound(packKey, stickerId);
    },

    /**
     * With the bytes that are there already it changes the words, if they differ; then `isNew` is false.
     * @throws AppError `sticker-not-found`, `sticker-duplicate` when another sticker of the pack has these bytes, `sticker-banned`
     */
    async replace(
      actor: Actor,
      packKey: string,
      stickerId: string,
      upload: Replacement,
      options: ChangeOptions = {},
    ): Promise<AddedSticker> {
      await store.adopt(upload.temporaryPath, 'original', upload.sha256);
      const replaceOnce = async (): Promise<AddedSticker> => {
        const result: AddedSticker = { stickerId, sha256: upload.sha256, status: 'pending', isNew: true };
        return changePack(
          actor,
          packKey,
          options,
          async (trx, pack): Promise<Change | null> => {
            const item = await findItem(trx, pack.id, stickerId);
            if (!item) throw stickerNotFound(packKey, stickerId);
            await assertContentMayEnter(trx, upload.sha256);
            const known = await findAssetByContent(trx, pack.ownerId, upload.sha256);
            const assetId = known?.id ?? uuidv7();
            const isSame = assetId === stickerId;
            if (!isSame && known && (await findItem(trx, pack.id, assetId)))
              throw new AppError(
                'sticker-duplicate',
                `Sticker "${assetId}" of pack "${packKey}" has these bytes already: remove one of the two instead.`,
                { details: { sticker_id: assetId } },
              );
            Object.assign(result, { stickerId: assetId, status: known?.status ?? 'pending', isNew: !isSame });

            const next = {
              assetId,
              emojis: upload.emojis ?? item.emojis,
              accessibilityLabel: upload.accessibilityLabel ?? item.accessibilityLabel,
            };
            const { emojis, accessibilityLabel } = item;
            if (isSame && isDeepStrictEqual(next, { assetId, emojis, accessibilityLabel })) return null;
            const themes = isPublic(pack) && item.themeKey !== null ? [item.themeKey] : [];
            if (!known)
              await insertAsset(trx, {
                id: assetId,
                ownerId: pack.ownerId,
                sha256: upload.sha256,
                probe: upload.probe,
              });
            await updateItem(trx, pack.id, stickerId, next);
            // Its words are fewer now; in no pack, nobody sees it.
            const isOldShown = isSame || (await packsOfAsset(trx, stickerId)).length > 0;
            return {
              action: 'sticker_replaced',
              isShown: true,
              columns: pack.chosenCoverAssetId === stickerId ? { chosen_cover_asset_id: assetId } : {},
              themes: [...new Set([...themes, ...(known ? await themesOfPack(trx, pack.id) : [])])],
              events: [
                ...(isSame ? [] : [stickerEvent(assetId, known !== null)]),
                ...(isOldShown ? await describedAnew(trx, deps, [stickerId], { inFile: true }) : []),
              ],
            };
          },
          () => Promise.resolve(result),
        );
      };
      // The same bytes may arrive elsewhere at that moment: the loser of the race finds the winner's row.
      return replaceOnce().catch((error: unknown) => {
        if (isUniqueViolation(error)) return replaceOnce();
        throw error;
      });
    },
  };
}
