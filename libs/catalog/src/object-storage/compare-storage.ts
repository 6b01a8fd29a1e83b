/**
 * Everything that the catalogue, this disk and the bucket have, side by side and in the order of keys: four streams that are read
 * together, so that nothing of the size of the catalogue is ever in memory.
 */
import { AppError, type Database } from '@omnizap/runtime';
import type { DiskStore, ObjectStore, StoredFile, StoredObject } from '@omnizap/storage';
import {
  contentKinds,
  objectRowsAfter,
  usedContentsAfter,
  type ObjectRow,
  type UsedContent,
} from './stored-content-store.ts';
import type { ContentId } from './stored-object-store.ts';

const rowsPerBatch = 1_000;

export type Compared = ContentId & {
  /** Null: no sticker has it. */
  used: UsedContent | null;
  /** What is known of the bucket. */
  row: ObjectRow | null;
  object: StoredObject | null;
  file: StoredFile | null;
};

export type CompareDeps = {
  database: Database;
  store: Pick<DiskStore, 'list'>;
  /** Null: there is no bucket, and nothing known of it counts. */
  objects: Pick<ObjectStore, 'list'> | null;
};

/** Keys of the bucket that are not of our form are told to `onForeign`. @throws whatever the service, the disk or the database says */
export async function* compareStorage(
  { database, store, objects }: CompareDeps,
  onForeign: (object: StoredObject) => void,
): AsyncGenerator<Compared> {
  const { knex } = database;
  // The bucket last: what is listed before it is known is nobody's for that moment.
  const streams = [
    await open(ofEachKind((kind, after) => usedContentsAfter(knex, kind, after, rowsPerBatch))),
    await open(objects ? ofEachKind((kind, after) => objectRowsAfter(knex, kind, after, rowsPerBatch)) : nothing()),
    await open(filesOf(store)),
    await open(objects ? objectsOf(objects, onForeign) : nothing()),
  ] as const;
  const [used, row, file, object] = streams;
  try {
    for (;;) {
      const next = streams
        .map((stream) => stream.next())
        .reduce((least, content) => (isBefore(content, least) ? content : least));
      if (next === null) return;
      const { kind, sha256 } = next;
      yield {
        ...{ kind, sha256, used: await used.takeAt(next), row: await row.takeAt(next) },
        file: (await file.takeAt(next))?.file ?? null,
        object: (await object.takeAt(next))?.object ?? null,
      };
    }
  } finally {
    for (const stream of streams) await stream.close();
  }
}

async function* ofEachKind<T extends ContentId>(
  batch: (kind: ContentId['kind'], after: string) => Promise<T[]>,
): AsyncGenerator<T> {
  for (const kind of contentKinds) {
    for (let after = ''; ;) {
      const rows = await batch(kind, after);
      yield* rows;
      const last = rows.at(-1);
      if (!last || rows.length < rowsPerBatch) break;
      after = last.sha256;
    }
  }
}

async function* filesOf(store: CompareDeps['store']): AsyncGenerator<ContentId & { file: StoredFile }> {
  for (const kind of contentKinds) for await (const file of store.list(kind)) yield { kind, sha256: file.sha256, file };
}

async function* objectsOf(
  objects: Pick<ObjectStore, 'list'>,
  onForeign: (object: StoredObject) => void,
): AsyncGenerator<ContentId & { object: StoredObject }> {
  let before: ContentId | null = null;
  for await (const object of objects.list()) {
    const { content } = object;
    if (content === null) onForeign(object);
    else {
      if (before !== null && !isBefore(before, content))
        throw new AppError(
          'storage-failed',
          `The service does not list keys in their order ("${object.key}"): what it has cannot be compared.`,
        );
      before = content;
      yield { ...content, object };
    }
  }
}

async function* nothing(): AsyncGenerator<never> {}

type Stream<T extends ContentId> = {
  /** Null at the end. */
  next: () => ContentId | null;
  /** What it has of that content; it goes on behind it. */
  takeAt: (content: ContentId) => Promise<T | null>;
  close: () => Promise<unknown>;
};

async function open<T extends ContentId>(source: AsyncGenerator<T>): Promise<Stream<T>> {
  let ahead = await source.next();
  return {
    next: () => (ahead.done === true ? null : ahead.value),
    async takeAt({ kind, sha256 }) {
      if (ahead.done === true || ahead.value.kind !== kind || ahead.value.sha256 !== sha256) return null;
      const { value } = ahead;
      ahead = await source.next();
      return value;
    },
    close: () => source.return(undefined),
  };
}

/** As keys are in the order of their bytes; nothing comes behind everything. */
function isBefore(one: ContentId | null, other: ContentId | null): boolean {
  if (one === null) return false;
  if (other === null) return true;
  return one.kind === other.kind ? one.sha256 < other.sha256 : one.kind < other.kind;
}
