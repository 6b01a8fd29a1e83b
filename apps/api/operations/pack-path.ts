import { AppError } from '@omnizap/runtime';

const keyPattern = /^[a-z0-9-]{1,64}$/;

/** @throws AppError `pack-not-found`: what cannot be a key is no key of a pack. */
export function packKeyOf(params: Record<string, string>): string {
  const key = params.packKey ?? '';
  if (!keyPattern.test(key)) throw new AppError('pack-not-found', 'There is no pack with this key.');
  return key;
}
