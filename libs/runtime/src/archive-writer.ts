/**
 * Archives of rows: `<first id>-<last id>-<instant>-<random>.jsonl.gz` and, beside it, a manifest. Written under temporary names,
 * flushed to disk (file and folder) and renamed, the manifest last: where there is a manifest the archive is complete and durable,
 * and only then may its rows be deleted. A file without a manifest is what a kill left; its rows are still in their table.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { z } from 'zod';
import type { ArchiveColumn, ArchivedValue } from './archive-columns.ts';

const compress = promisify(gzip);
/** Interactions carry hashes of people: for the processes' user alone. */
const folderMode = 0o700;
const fileMode = 0o600;
const temporarySuffix = '.tmp';
/** A temporary file that nobody has written to for this long belongs to a process that died. */
const staleTemporaryMs = 3_600_000;
const idDigits = 12;

export const manifestSchema = z.object({
  format: z.literal('omnizap-archive'),
  format_version: z.literal(1),
  policy: z.string(),
  table: z.string(),
  /** Name in the manifest's own folder: the folder may move. */
  file: z.string().regex(/^[\w.-]+\.jsonl\.gz$/),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  size_bytes: z.int(),
  rows: z.int().min(1),
  key: z.string(),
  first_id: z.int(),
  last_id: z.int(),
  /** By the column that tells the rows' age. */
  first_at: z.string().nullable(),
  last_at: z.string().nullable(),
  created_at: z.string(),
  columns: z.array(z.object({ name: z.string(), type: z.enum(['integer', 'double', 'instant', 'bytes', 'text']) })),
});
export type Manifest = z.infer<typeof manifestSchema>;

export type ArchivedRow = { id: number; values: Record<string, ArchivedValue> };

export type ArchiveDraft = {
  /** Rows in ascending order of id. */
  append(rows: ArchivedRow[]): Promise<void>;
  /** Makes it durable. Returns the manifest's path; null when `append` brought nothing. */
  finish(): Promise<string | null>;
  /** Leaves nothing behind. Does no harm after `finish`. */
  discard(): Promise<void>;
};

type ArchiveOptions = {
  archiveDir: string;
  policy: string;
  table: string;
  key: string;
  ageColumn: string;
  columns: ArchiveColumn[];
};

/** Opens no file before there is a row for it. */
export function createArchiveDraft(options: ArchiveOptions): ArchiveDraft {
  const folder = join(options.archiveDir, options.policy);
  const mark = `${new Date().toISOString().replace(/[-:]|\.\d+/g, '')}-${randomBytes(3).toString('hex')}`;
  const temporary = join(folder, `${mark}.jsonl.gz${temporarySuffix}`);
  const hash = createHash('sha256');
  let file: FileHandle | undefined;
  let sizeBytes = 0;
  let rowCount = 0;
  let first: ArchivedRow | undefined;
  let last: ArchivedRow | undefined;

  async function begin(): Promise<FileHandle> {
    const made = await mkdir(folder, { recursive: true, mode: folderMode });
    if (made !== undefined) for (const parent of [dirname(made), options.archiveDir]) await syncFolder(parent);
    await removeAbandoned(folder);
    return open(temporary, 'wx', fileMode);
  }

  const instantOf = (row: ArchivedRow): string | null => {
    const value = row.values[options.ageColumn] ?? null;
    return value === null ? null : String(value);
  };

  return {
    async append(rows) {
      if (rows.length === 0) return;
      file ??= await begin();
      // Each batch is a gzip member of its own; members one after the other are a valid file, and memory stays that of one batch.
      const bytes = await compress(rows.map((row) => `${JSON.stringify(row.values)}\n`).join(''));
      await file.appendFile(bytes);
      hash.update(bytes);
      sizeBytes += bytes.length;
      rowCount += rows.length;
      first ??= rows[0];
      last = rows.at(-1);
    },
    async finish() {
      if (!file || !first || !last) return null;
      await file.sync();
      await file.close();
      file = undefined;
      const digits = (id: number): string => String(id).padStart(idDigits, '0');
      const name = `${digits(first.id)}-${digits(last.id)}-${mark}`;
      const manifest: Manifest = {
        format: 'omnizap-archive',
        format_version: 1,
        policy: options.policy,
        table: options.table,
        file: `${name}.jsonl.gz`,
        sha256: hash.digest('hex'),
        size_bytes: sizeBytes,
        rows: rowCount,
        key: options.key,
        first_id: first.id,
        last_id: last.id,
        first_at: instantOf(first),
        last_at: instantOf(last),
        created_at: new Date().toISOString(),
        columns: options.columns,
      };
      await rename(temporary, join(folder, manifest.file));
      // The archive's name must be on disk before the manifest's, which vouches for it.
      await syncFolder(folder);
      const path = join(folder, `${name}.manifest.json`);
      await writeDurably(path, `${JSON.stringify(manifest, null, 2)}\n`);
      await syncFolder(folder);
      return path;
    },
    async discard() {
      await file?.close();
      file = undefined;
      await rm(temporary, { force: true });
    },
  };
}

async function writeDurably(path: string, text: string): Promise<void> {
  const temporary = `${path}${temporarySuffix}`;
  const file = await open(temporary, 'wx', fileMode);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.endsWith(temporarySuffix)) continue;
    const path = join(folder, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > staleTemporaryMs) await rm(path, { force: true });
  }
}
