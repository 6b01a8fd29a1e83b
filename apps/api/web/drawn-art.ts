/** Where the pages' pictures are: drawn once, by the first API process that starts, and again when a drawing has changed. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { AppError } from '@omnizap/runtime';

const consoleFolder = path.join(import.meta.dirname, '../../console');
const program = path.join(consoleFolder, 'draw-art.ts');
/** It takes three seconds on a machine of 2 cores. */
const timeoutMs = 120_000;

/**
 * The folder with them. `folders` are where they may be kept: the first that can be written is used, when none has them yet.
 * @throws AppError `configuration-invalid` when they cannot be drawn
 */
export async function drawnArt(folders: string[]): Promise<string> {
  const version = await versionOfDrawings();
  const places = folders.map((folder) => path.join(folder, version));
  for (const place of places) if (await isThere(place)) return place;
  const refusals: string[] = [];
  for (const place of places) {
    try {
      await promisify(execFile)(process.execPath, [program, place], { timeout: timeoutMs });
      return place;
    } catch (error) {
      refusals.push(`${path.dirname(place)}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new AppError('configuration-invalid', `The pictures of the pages cannot be drawn. ${refusals.join('; ')}`);
}

/** Drawings and the program that draws them, as one name. */
async function versionOfDrawings(): Promise<string> {
  const art = path.join(consoleFolder, 'art');
  const drawings = (await readdir(art)).filter((name) => name.endsWith('.svg')).sort();
  const hash = createHash('sha256');
  for (const file of [program, ...drawings.map((name) => path.join(art, name))]) hash.update(await readFile(file));
  return hash.digest('hex').slice(0, 16);
}

async function isThere(folder: string): Promise<boolean> {
  return await access(folder).then(
    () => true,
    () => false,
  );
}
