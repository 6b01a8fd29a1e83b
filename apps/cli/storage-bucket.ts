/** The bucket that a command works with: one that answers, or a sentence on what is wrong. */
import { AppError } from '@omnizap/runtime';
import { explainStorageError, type ObjectStore, type StickerStorage } from '@omnizap/storage';
import type { Session } from './session.ts';

const probeTimeoutMs = 5_000;

/** @throws AppError `configuration-invalid` when there is none, `storage-failed` in words */
export async function openBucket(session: Session): Promise<StickerStorage & { objects: ObjectStore }> {
  const storage = await session.stickerStorage();
  const { objects } = storage;
  if (objects === null)
    throw new AppError(
      'configuration-invalid',
      'There is no bucket: set STICKER_OBJECT_STORAGE_BUCKET and its keys, see runbooks/object-storage.md.',
    );
  await requireUsable(objects);
  return { ...storage, objects };
}

/** @throws AppError `storage-failed` in words */
export async function requireUsable(objects: ObjectStore): Promise<void> {
  await objects.probeInWords(probeTimeoutMs).catch((error: unknown) => {
    const { text, remedy } = explainStorageError(error);
    throw new AppError('storage-failed', `${text} ${remedy}`, { cause: error });
  });
}
