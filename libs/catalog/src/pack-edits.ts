/** What owners change about a pack that exists: its texts and visibility, its cover, its order, its stickers. */
import { isDeepStrictEqual } from 'node:util';
import { AppError } from '@omnizap/runtime';
import type { PackView, StickerView } from './catalogue-store.ts';
import { readStickers } from './catalogue-store.ts';
import { createPackChange, describedAnew, isPublic, type Change, type ChangeOptions } from './pack-change.ts';
import { deleteItem, findItem, updateItem, writePositions } from './pack-edit-store.ts';
import { orderProblems, startOfOrder } from './pack-order.ts';
import { itemsOfPack, packsOfAsset, themesOfPack, type Pack, type Visibility } from './pack-store.ts';
import { readPackView, type Actor, type NewPackInput, type PackDeps } from './packs.ts';

/** What is absent stays as it is. */
export type PackChanges = { [Name in keyof NewPackInput]?: NewPackInput[Name] | undefined };
export type StickerChanges = { emojis?: string[] | undefined; accessibilityLabel?: string | null | undefined };

export type PackEdits = ReturnType<typeof createPackEdits>;

export function createPackEdits(deps: PackDeps) {
  const changePack = createPackChange(deps);

  return {
    async edit(actor: Actor, packKey: string, changes: PackChanges, options: ChangeOptions = {}): Promise<PackView> {
      return changePack(
        actor,
        packKey,
        options,
        async (trx, pack): Promise<Change | null> => {
          const after: Pack = { ...pack, ...withoutAbsent(changes) };
          const columns = changedColumns(pack, after);
          if (Object.keys(columns).length === 0) return null;
          // Public or not decides who may be curated, and whose words count; see `readStickerContext`.
          const isCurated = 'visibility' in columns && (isPublic(pack) || isPublic(after));
          const isWritten = pack.visibility === 'public' || after.visibility === 'public';
          const isInFile = isWritten && ['name', 'publisher', 'visibility'].some((column) => column in columns);
          const isInWords = ['name', 'tags'].some((column) => column in columns);
          const items = isInFile || isInWords ? await itemsOfPack(trx, pack.id) : [];
          const assetIds = items.map((item) => item.assetId);
          return {
            action: 'edited',
            columns,
            isShown: Object.keys(columns).some((column) => column !== 'visibility') || isWidened(pack, after),
            themes: isCurated ? await themesOfPack(trx, pack.id) : [],
            events: await describedAnew(trx, deps, assetIds, { inFile: isInFile }),
          };
        },
        (trx, pack) => readPackView(trx, pack.id),
      );
    },

    /**
     * The choice holds while the sticker is in the pack, and shows as soon as it can be shown; the rebuild puts it in its place.
     * @throws AppError `validation-failed` when it is not in the pack or was rejected
     */
    async chooseCover(
      actor: Actor,
      packKey: string,
      stickerId: string,
      options: ChangeOptions = {},
    ): Promise<PackView> {
      return changePack(
        actor,
        packKey,
        options,
        async (trx, pack): Promise<Change | null> => {
          const item = await findItem(trx, pack.id, stickerId);
          if (!item) throw notACover(`${stickerId} is not in pack "${packKey}"`);
          if (item.status === 'rejected') throw notACover(`${stickerId} was rejected and can never be shown`);
          if (pack.chosenCoverAssetId === stickerId) return null;
          return { action: 'cover_chosen', columns: { chosen_cover_asset_id: stickerId } };
        },
        (trx, pack) => readPackView(trx, pack.id),
      );
    },

    /** @throws AppError `validation-failed` when the list does not name each sticker of the pack once */
    async reorder(actor: Actor, packKey: string, stickerIds: string[], options: ChangeOptions = {}): Promise<PackView> {
      return changePack(
        actor,
        packKey,
        options,
        async (trx, pack): Promise<Change | null> => {
          const items = await itemsOfPack(trx, pack.id);
          const current = items.map((item) => item.assetId);
          const fields = orderProblems(current, stickerIds);
          if (fields.length > 0)
            throw new AppError(
              'validation-failed',
              `The order must name each of the ${current.length} stickers of pack "${packKey}" once: ${fields[0]?.detail ?? ''}.`,
              { fields },
            );
          if (isDeepStrictEqual(current, stickerIds)) return null;
          await writePositions(trx, pack.id, stickerIds, startOfOrder(items.map((item) => item.position)));
          return { action: 'reordered' };
        },
        (trx, pack) => readPackView(trx, pack.id),
      );
    },

    /** @throws AppError `sticker-not-found` */
    async editSticker(
      actor: Actor,
      packKey: string,
      stickerId: string,
      changes: StickerChanges,
      options: ChangeOptions = {},
    ): Promise<{ packKey: string; sticker: StickerView }> {
      return changePack(
        actor,
        packKey,
        options,
        async (trx, pack): Promise<Change | null> => {
          const item = await findItem(trx, pack.id, stickerId);
          if (!item) throw stickerNotFound(packKey, stickerId);
          const emojis = changes.emojis ?? item.emojis;
          const accessibilityLabel =
            changes.accessibilityLabel === undefined ? item.accessibilityLabel : changes.accessibilityLabel;
          if (isDeepStrictEqual(emojis, item.emojis) && accessibilityLabel === item.accessibilityLabel) return null;
          await updateItem(trx, pack.id, stickerId, { assetId: stickerId, emojis, accessibilityLabel });
          return {
            action: 'sticker_edited',
            isShown: true,
            // Automatic packs show the sticker with the words of a public one.
            themes: isPublic(pack) && item.themeKey !== null ? [item.themeKey] : [],
            events: await describedAnew(trx, deps, [stickerId], { inFile: true }),
          };
        },
        async (trx, pack) => {
          const sticker = (await readStickers(trx, pack.id)).find((one) => one.stickerId === stickerId);
          if (!sticker) throw stickerNotFound(packKey, stickerId);
          return { packKey, sticker };
        },
      );
    },

    /**
     * Takes a sticker out; also the last one of a published pack, which then shows in no list until there is another. Its bytes and
     * what is known of them stay for the grace period.
     * @throws AppError `sticker-not-found`
     */
    async removeSticker(actor: Actor, packKey: string, stickerId: string, options: ChangeOptions = {}): Promise<void> {
      await changePack(
        actor,
        packKey,
        options,
        async (trx, pack): Promise<Change | null> => {
          const item = await findItem(trx, pack.id, stickerId);
          if (!item) throw stickerNotFound(packKey, stickerId);
          await deleteItem(trx, pack.id, stickerId);
          const isElsewhere = (await packsOfAsset(trx, stickerId)).length > 0;
          return {
            action: 'sticker_removed',
            columns: pack.chosenCoverAssetId === stickerId ? { chosen_cover_asset_id: null } : {},
            themes: isPublic(pack) && item.themeKey !== null ? [item.themeKey] : [],
            events: isElsewhere ? await describedAnew(trx, deps, [stickerId], { inFile: true }) : [],
          };
        },
        () => Promise.resolve(),
      );
    },
  };
}

const reach: Record<Visibility, number> = { private: 0, unlisted: 1, public: 2 };

function isWidened(before: Pack, after: Pack): boolean {
  return reach[after.visibility] > reach[before.visibility];
}

function withoutAbsent(changes: PackChanges): Partial<NewPackInput> {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
}

/** Columns of `sticker_pack` that differ. */
function changedColumns(before: Pack, after: Pack): Record<string, unknown> {
  const columns = { ...valuesOf(before) } as Record<string, unknown>;
  for (const [name, value] of Object.entries(valuesOf(after))) {
    if (columns[name] === value) delete columns[name];
    else columns[name] = value;
  }
  return columns;
}

function valuesOf({ name, publisher, description, visibility, tags }: Pack): Record<string, string> {
  return { name, publisher, description, visibility, tags: JSON.stringify(tags) };
}

export function stickerNotFound(packKey: string, stickerId: string): AppError {
  return new AppError('sticker-not-found', `There is no sticker "${stickerId}" in pack "${packKey}".`);
}

function notACover(detail: string): AppError {
  return new AppError('validation-failed', `The cover must be a sticker of the pack that can be shown: ${detail}.`, {
    fields: [{ pointer: '/sticker_id', detail }],
  });
}
