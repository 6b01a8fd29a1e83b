import { AppError } from '@omnizap/runtime';

const keyPattern = /^[a-z0-9-]{1,64}$/;

/** @throws AppError `pack-not-found`: what cannot be a key is no key of a pack. */
export function packKeyOf(params: Record<string, string>): string {
  const key = params.packKey ?? '';
  if (!keyPattern.test(key)) throw new AppError('pack-not-found', 'There is no pack with this key.');
  return key;
}

const stickerIdPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** @throws AppError `sticker-not-found`: what cannot be an id is no sticker's. */
export function stickerIdOf(params: Record<string, string>): string {
  const id = params.stickerId ?? '';
  if (!stickerIdPattern.test(id)) throw new AppError('sticker-not-found', 'There is no sticker with this id.');
  return id;
}
