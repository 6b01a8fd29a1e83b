import { idPattern, packKeyPattern } from '@omnizap/catalog';
import { AppError } from '@omnizap/runtime';

/** @throws AppError `pack-not-found`: what cannot be a key is no key of a pack. */
export function packKeyOf(params: Record<string, string>): string {
  const key = params.packKey ?? '';
  if (!packKeyPattern.test(key)) throw new AppError('pack-not-found', 'There is no pack with this key.');
  return key;
}

/** @throws AppError `sticker-not-found`: what cannot be an id is no sticker's. */
export function stickerIdOf(params: Record<string, string>): string {
  const id = params.stickerId ?? '';
  if (!idPattern.test(id)) throw new AppError('sticker-not-found', 'There is no sticker with this id.');
  return id;
}
