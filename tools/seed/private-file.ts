/** Small JSON files of the data directory: only their owner may read them, and a reader never sees half of one. */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '@omnizap/runtime';
import type { ZodType } from 'zod';

/** The content of `file`, or null when there is none. @throws AppError `configuration-invalid` when it holds something else. */
export async function readPrivateFile<T>(file: string, schema: ZodType<T>): Promise<T | null> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new AppError('configuration-invalid', `${file} is damaged: repair it, or delete it to have it made anew.`, {
      cause,
    });
  }
}

/** Writes `value` as JSON with mode 0600, making the folder when needed. */
export async function writePrivateFile(file: string, value: unknown): Promise<void> {
  const draft = `${file}.new`;
  await mkdir(path.dirname(file), { recursive: true });
  // A draft left behind would keep its own mode.
  await rm(draft, { force: true });
  await writeFile(draft, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  await rename(draft, file);
}
