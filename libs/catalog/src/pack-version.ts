/** Changes that are only wanted of the pack that their author has seen. */
import { AppError } from '@omnizap/runtime';
import type { Pack } from './pack-store.ts';

/** `pack` must be locked. `expected` undefined: any will do. @throws AppError `precondition-failed` */
export function requireVersion(pack: Pick<Pack, 'packKey' | 'version'>, expected: number | undefined): void {
  if (expected === undefined || expected === pack.version) return;
  throw new AppError(
    'precondition-failed',
    `Pack "${pack.packKey}" is not the one that If-Match names: it was changed and has version ${pack.version}. Read it again, then decide.`,
  );
}
