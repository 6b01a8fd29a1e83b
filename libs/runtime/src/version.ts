/**
 * What is running, read from the checkout that the code was loaded from: an environment may be left over from another release,
 * the folder cannot be.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const shownDigits = 12;

/** Version of the product, from the package.json of the library's own release. */
export const productVersion: string = (
  JSON.parse(readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8')) as { version: string }
).version;

/**
 * `0.1.0+1a2b3c4d5e6f`: the version, and in a git checkout the commit. It tells two builds of one version apart; a copy without
 * git has the version alone.
 */
export const buildVersion: string = describeBuild(productVersion, resolve(import.meta.dirname, '../../..'));

/** Reads git's files itself: a server has the checkout, and not always git. */
export function describeBuild(version: string, root: string): string {
  const commit = commitOf(join(root, '.git'));
  return commit === null ? version : `${version}+${commit.slice(0, shownDigits)}`;
}

function commitOf(dotGit: string): string | null {
  // In a worktree .git is a file that leads to its own folder, which leads to the common one.
  const linked = /^gitdir: (.+)$/m.exec(read(dotGit))?.[1];
  const folder = linked === undefined ? dotGit : resolve(dotGit, '..', linked);
  const common = resolve(folder, read(join(folder, 'commondir')).trim() || '.');
  const head = read(join(folder, 'HEAD')).trim();
  const ref = /^ref: (\S+)$/.exec(head)?.[1];
  if (ref === undefined) return commitIn(head);
  const packed = read(join(common, 'packed-refs'))
    .split('\n')
    .find((line) => line.endsWith(` ${ref}`));
  return commitIn(read(join(common, ref))) ?? commitIn(packed ?? '');
}

function commitIn(text: string): string | null {
  return /^[0-9a-f]{40,64}(?=\s|$)/.exec(text)?.[0] ?? null;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
