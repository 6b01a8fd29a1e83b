/**
 * Archives back into a table. Nothing is inserted before the whole file was read and equals its manifest (SHA-256, rows); rows that
 * are there already are left as they are, so a row that two archives hold, or a restore that is run again, comes back once.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { ArchivedValue } from './archive-columns.ts';
import { createRestoreStore, type RestoreHook } from './archive-restore-store.ts';
import { manifestSchema, type Manifest } from './archive-writer.ts';
import type { Database } from './database.ts';
import { AppError } from './errors.ts';

/** Below 1,000: from there on MariaDB turns a list of ids into a join that reads the whole table. */
const rowsPerBatch = 500;
/** Servers refuse statements of some 16 MB, and a batch is held in memory. */
const charactersPerBatch = 2_000_000;

export type RestoreOptions = {
  /** Another table of the same database; made like the original when it does not exist. Default: the table itself. */
  into?: string;
  /** Runs in the transaction of each batch, with the ids that it inserted; not when `into` is given. */
  afterRestore?: RestoreHook | undefined;
  signal?: AbortSignal;
};

export type RestoreResult = {
  manifest: Manifest;
  table: string;
  inserted: number;
  /** Rows that were there already. */
  present: number;
};

/** @throws AppError `archive-invalid` when the file is not what the manifest says; nothing was inserted then */
export async function verifyArchive(manifestPath: string): Promise<Manifest> {
  const manifest = await readManifest(manifestPath);
  const path = join(dirname(manifestPath), manifest.file);
  const hash = createHash('sha256');
  let rows = 0;
  try {
    await pipeline(createReadStream(path), hash);
    if (hash.digest('hex') !== manifest.sha256) throw invalid(path, 'its SHA-256 is not that of the manifest');
    for await (const batch of readBatches(path)) rows += batch.length;
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw invalid(path, error instanceof Error ? error.message : String(error), error);
  }
  if (rows !== manifest.rows) throw invalid(path, `it has ${rows} rows, the manifest says ${manifest.rows}`);
  return manifest;
}

/**
 * Puts the rows of an archive back, in transactions of up to 500. Interrupted, it can simply be run again.
 * @throws AppError `archive-invalid` when file or table do not fit the manifest
 */
export async function restoreArchive(
  database: Database,
  manifestPath: string,
  options: RestoreOptions = {},
): Promise<RestoreResult> {
  const manifest = await verifyArchive(manifestPath);
  const table = options.into ?? manifest.table;
  const store = createRestoreStore(database, {
    table,
    key: manifest.key,
    columns: manifest.columns,
    afterRestore: table === manifest.table ? options.afterRestore : undefined,
  });
  if (table !== manifest.table) await store.createLike(manifest.table);
  const missing = await store.missingColumns();
  if (missing.length > 0)
    throw invalid(manifestPath, `the table ${table} lacks the columns ${missing.join(', ')} (or does not exist)`);
  let inserted = 0;
  for await (const batch of readBatches(join(dirname(manifestPath), manifest.file))) {
    options.signal?.throwIfAborted();
    inserted += await store.insertMissing(batch);
  }
  await store.continueAfter(manifest.last_id);
  return { manifest, table, inserted, present: manifest.rows - inserted };
}

async function readManifest(path: string): Promise<Manifest> {
  try {
    return manifestSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    throw invalid(path, 'it cannot be read as a manifest', error);
  }
}

async function* readBatches(path: string): AsyncGenerator<Record<string, ArchivedValue>[]> {
  let batch: Record<string, ArchivedValue>[] = [];
  let characters = 0;
  for await (const line of readLines(path)) {
    batch.push(JSON.parse(line) as Record<string, ArchivedValue>);
    characters += line.length;
    if (batch.length < rowsPerBatch && characters < charactersPerBatch) continue;
    yield batch;
    batch = [];
    characters = 0;
  }
  if (batch.length > 0) yield batch;
}

/** Not node:readline: it splits at more than line feeds, and does not pass on that the file is cut short. */
async function* readLines(path: string): AsyncGenerator<string> {
  const file = createReadStream(path);
  const gunzip = createGunzip();
  file.on('error', (error) => gunzip.destroy(error));
  file.pipe(gunzip).setEncoding('utf8');
  let rest = '';
  try {
    for await (const text of gunzip as AsyncIterable<string>) {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  } finally {
    file.destroy();
  }
  if (rest !== '') yield rest;
}

function invalid(path: string, reason: string, cause?: unknown): AppError {
  return new AppError('archive-invalid', `The archive ${path} cannot be restored: ${reason}.`, { cause });
}
