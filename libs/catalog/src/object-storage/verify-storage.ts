/**
 * Compares what the catalogue says with what disk and bucket have, in both directions. Changes nothing by itself; with a repair, what
 * the bucket has wrongly or not at all is no longer trusted, and its stickers are asked to be brought up to date once more.
 */
import { readFile } from 'node:fs/promises';
import { AppError } from '@omnizap/runtime';
import { explainStorageError, isEtagOf, isMissing, isNamed, type DiskStore, type ObjectStore } from '@omnizap/storage';
import { createBoundedWork } from './bounded-work.ts';
import { compareStorage, type Compared, type CompareDeps } from './compare-storage.ts';
import { createStorageFindings, type FindingKind, type StorageFinding } from './storage-findings.ts';
import { countUsedContents, findObjectRow, stickersWithContent } from './stored-content-store.ts';
import { markUnverified, type ContentId } from './stored-object-store.ts';

const firstOfEach = 5;
/** What changed within this time may be on its way, and what was read of it a moment ago no longer true. */
const settlingMs = 600_000;
const stuckRemovalMs = 3_600_000;
/** Files and objects read at once. */
const readsAtOnce = 8;
/** Stickers asked for together. */
const askBatch = 500;

type Deps = Omit<CompareDeps, 'store' | 'objects'> & {
  store: Pick<DiskStore, 'list' | 'path'>;
  objects: Pick<ObjectStore, 'list' | 'read' | 'key'> | null;
};

export type VerifyOptions = {
  /** Reads each object and file that should be there, and hashes it. */
  isDeep: boolean;
  /** Has the stickers of what is wrong in the bucket worked again; null: only looks. */
  askFor: ((stickerIds: string[]) => Promise<void>) | null;
  onProgress?: (done: number, total: number) => void;
};

export type VerifyResult = { compared: number; findings: StorageFinding[]; askedFor: number; seconds: number };

/** @throws AppError `storage-failed` in words; whatever the disk or the database says */
export async function verifyStorage(deps: Deps, options: VerifyOptions): Promise<VerifyResult> {
  const { database, store, objects } = deps;
  const { knex } = database;
  const startedAt = Date.now();
  const findings = createStorageFindings(firstOfEach);
  const reads = createBoundedWork(readsAtOnce);
  const total = await countUsedContents(knex);
  let [compared, seen, askedFor] = [0, 0, 0];
  let toAsk = new Set<string>();

  const nameOf = ({ kind, sha256 }: ContentId): string => objects?.key(kind, sha256) ?? `${kind}/${sha256}`;

  async function note(kind: FindingKind, content: ContentId): Promise<void> {
    findings.note(kind, nameOf(content));
    if (options.askFor === null || !mendedByTask.includes(kind)) return;
    if (kind !== 'forbidden_objects') await markUnverified(knex, content);
    for (const id of await stickersWithContent(knex, content, 1)) toAsk.add(id);
    if (toAsk.size >= askBatch) await ask();
  }

  async function ask(): Promise<void> {
    const ids = [...toAsk];
    toAsk = new Set();
    askedFor += ids.length;
    if (ids.length > 0) await options.askFor?.(ids);
  }

  async function look(entry: Compared): Promise<void> {
    const { used, file, object, row } = entry;
    const isRemoving = row !== null && row.removingSince !== null;
    if (row?.removingSince && startedAt - row.removingSince.getTime() > stuckRemovalMs)
      await note('stuck_removals', entry);
    if (used === null) {
      if (object && !isRemoving) await note('unneeded_objects', entry);
      if (file) await note('unneeded_files', entry);
      return;
    }
    if (!used.isWanted) {
      if (object && !isRemoving) await note('forbidden_objects', entry);
      return;
    }
    const isLocal = file?.sizeBytes === used.sizeBytes;
    if (file && !isLocal) await note('wrong_files', entry);
    if (!file) await note(row?.verifiedAt && object ? 'files_elsewhere' : 'missing_files', entry);
    if (row?.verifiedAt) await lookAtObject(entry, used.sizeBytes, isLocal);
    else if (objects && !isRemoving && startedAt - used.changedAt.getTime() > settlingMs)
      await note('not_uploaded', entry);
    if (options.isDeep && isLocal) await reads.add(() => lookIntoFile(entry));
  }

  async function lookAtObject(entry: Compared, sizeBytes: number, isLocal: boolean): Promise<void> {
    const { object, row } = entry;
    if (!object) {
      const isOnItsWay = startedAt - (row?.verifiedAt?.getTime() ?? 0) < settlingMs;
      // Taken out since its row was read?
      if (!isOnItsWay && (await findObjectRow(knex, entry))?.verifiedAt) await note('missing_objects', entry);
    } else if (object.sizeBytes !== sizeBytes) await note('wrong_objects', entry);
    else if (options.isDeep) await reads.add(() => lookIntoObject(entry, sizeBytes));
    else if (isLocal) await reads.add(() => lookAtEtag(entry, object.etag));
  }

  /** The service's MD5 against that of the bytes here, unless those are wrong themselves. */
  async function lookAtEtag(entry: Compared, etag: string): Promise<void> {
    const bytes = await readFile(store.path(entry.kind, entry.sha256)).catch(ifGone);
    if (bytes === null || isEtagOf(etag, bytes) !== false) return;
    await note(isNamed(entry.sha256, bytes) ? 'wrong_objects' : 'wrong_files', entry);
  }

  async function lookIntoObject(entry: Compared, sizeBytes: number): Promise<void> {
    await objects?.read(entry.kind, entry.sha256, sizeBytes).catch(async (error: unknown) => {
      if (isMissing(error)) return note('missing_objects', entry);
      if (error instanceof AppError && error.code === 'object-corrupt') return note('wrong_objects', entry);
      throw error;
    });
  }

  async function lookIntoFile(entry: Compared): Promise<void> {
    const bytes = await readFile(store.path(entry.kind, entry.sha256)).catch(ifGone);
    if (bytes !== null && !isNamed(entry.sha256, bytes)) await note('wrong_files', entry);
  }

  await inWords(async () => {
    for await (const entry of compareStorage(deps, (object) => findings.note('foreign_keys', object.key))) {
      compared += 1;
      if (entry.used) options.onProgress?.((seen += 1), Math.max(seen, total));
      await look(entry);
    }
    await reads.settle();
  });
  await ask();
  return { compared, findings: findings.list(), askedFor, seconds: (Date.now() - startedAt) / 1_000 };
}

/** What a sticker's `storage` task brings in order. */
const mendedByTask: readonly FindingKind[] = ['missing_objects', 'wrong_objects', 'not_uploaded', 'forbidden_objects'];

function ifGone(error: unknown): null {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  return null;
}

async function inWords(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof AppError || !('$metadata' in (error as object))) throw error;
    const { text, remedy } = explainStorageError(error);
    throw new AppError('storage-failed', `${text} ${remedy}`, { cause: error });
  }
}
