/**
 * Keeps the bucket as the catalogue wants it, one object at a time: what belongs there is put there and checked, what does not is
 * taken out. Two processes may work on one object: a row says which way it is going, and what is wrong after a kill in between is
 * found by the next look.
 */
import { AppError, type Database } from '@omnizap/runtime';
import { explainStorageError, isNamed, type DiskStore, type ObjectStore } from '@omnizap/storage';
import {
  claimObject,
  claimRemoval,
  forgetObject,
  isWanted,
  markUnverified,
  markVerified,
  stickerWanting,
  type Content,
  type ContentId,
} from './stored-object-store.ts';
import { createWorkStateStore } from '../work-state-store.ts';

export type Brought = 'stored' | 'was-there' | 'being-removed';

export type StickerObjects = ReturnType<typeof createStickerObjects>;

type Deps = {
  database: Database;
  store: Pick<DiskStore, 'read'>;
  objects: ObjectStore;
};

export function createStickerObjects({ database, store, objects }: Deps) {
  const { knex, kind } = database;

  /** Checked: a file that has rotted on disk must not take the place of a sound object. */
  async function localBytes({ kind: blob, sha256 }: ContentId): Promise<Buffer> {
    const bytes = await readLocal({ kind: blob, sha256 });
    if (isNamed(sha256, bytes)) return bytes;
    throw new AppError(
      'object-corrupt',
      `The file of ${blob} ${sha256} on this host has other bytes than its name says.`,
    );
  }

  async function readLocal({ kind: blob, sha256 }: ContentId): Promise<Buffer> {
    return store.read(blob, sha256).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      throw new AppError(
        'unavailable',
        `The bytes of ${blob} ${sha256} are not on this host: uploads are made where stickers are taken in.`,
        { cause: error },
      );
    });
  }

  const wantStored = (subjectId: string): Promise<void> =>
    createWorkStateStore(database).want([{ taskType: 'storage', subjectId }]);

  /**
   * Removes one object unless a sticker wants it there by now. From its first step on nobody is sent to the object any more.
   * `beforeForgotten` is what else goes with it: when that fails, whoever looks next does both again.
   * @throws AppError `storage-failed`: the row stays, and whoever looks next goes on
   */
  async function takeOut(
    content: ContentId,
    signal?: AbortSignal,
    beforeForgotten?: () => Promise<void>,
  ): Promise<boolean> {
    if (!(await isWanted(knex, content))) {
      await claimRemoval(knex, kind, content);
    }
    const wantedBy = await stickerWanting(knex, content);
    if (wantedBy === null) {
      await inWords(() => objects.remove(objects.key(content.kind, content.sha256), signal));
      await beforeForgotten?.();
      await forgetObject(knex, content);
      return true;
    }
    // Whatever the bucket has of it by now is put there anew.
    await forgetObject(knex, content);
    await wantStored(wantedBy);
    return false;
  }

  return {
    /**
     * Puts one object where it belongs, and marks it as verified once the service says that it has these bytes.
     * @throws AppError `unavailable` when this host does not have the bytes, `object-corrupt` when the bucket has others afterwards,
     * `storage-failed`
     */
    async bringIn(content: Content, signal?: AbortSignal): Promise<Brought> {
      const state = await claimObject(knex, content);
      if (state === 'verified') return 'was-there';
      if (state === 'removing') return 'being-removed';
      const bytes = await localBytes(content);
      const { kind: blob, sha256 } = content;
      const isThere = await inWords(async () => {
        // Whoever was killed had put it there already, perhaps; nobody had, where nobody had said so.
        if (state !== 'unknown' && (await objects.holds(blob, sha256, bytes, signal))) return true;
        // Its MD5 in the answer is as good as another question, and half of the work.
        return (await objects.put(blob, sha256, bytes, signal)) || (await objects.holds(blob, sha256, bytes, signal));
      });
      if (!isThere)
        throw new AppError(
          'object-corrupt',
          `The bucket has other bytes than were put at ${objects.key(blob, sha256)}.`,
        );
      const isMarked = await markVerified(knex, kind, content);
      // It may have been taken down meanwhile, and its removal may have been over before it came.
      if (!(await isWanted(knex, content))) await takeOut(content, signal);
      else if (isMarked) return 'stored';
      return 'being-removed';
    },

    takeOut,

    /** The bucket does not have it as it should: nobody is sent there until it was uploaded again, which the next sweep asks for. */
    async distrust(content: ContentId): Promise<void> {
      if (!(await markUnverified(knex, content))) return;
      const subjectId = await stickerWanting(knex, content);
      if (subjectId !== null) await wantStored(subjectId);
    },

    /** Where everybody could read these without a signature. */
    publicUrls: (contents: ContentId[]): string[] =>
      contents.flatMap((content) => objects.publicUrl(content.kind, content.sha256) ?? []),
  };
}

/** @throws AppError `storage-failed` that says what is wrong, and what to do */
async function inWords<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AppError) throw error;
    const { text, remedy } = explainStorageError(error);
    throw new AppError('storage-failed', `${text} ${remedy}`, { cause: error });
  }
}
