/** The folders of sticker bytes and of archives: whether they can be written, and how much room is left. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { z } from 'zod';
import { fail, info, ok, warn, within, type Finding } from './finding.ts';
import { quoted } from './mending.ts';

const room = z.object({ free: z.number(), total: z.number() });
const directoryFacts = z.discriminatedUnion('state', [
  z.object({ state: z.literal('not-a-directory') }),
  /** Something on the way to it is no directory, or may not be entered. */
  z.object({ state: z.literal('unreachable') }),
  z.object({
    /** `absent`: what follows is about the folder that it would be made in. */
    state: z.enum(['there', 'absent']),
    isWritable: z.boolean(),
    isLocal: z.boolean(),
    device: z.number(),
    bytes: room,
    /** `total` 0: this kind of disk has no fixed number. */
    inodes: room,
  }),
]);
export type DirectoryFacts = z.infer<typeof directoryFacts>;

/** `variable`: the setting that names it. */
export type Directory = { variable: string; folder: string; facts: DirectoryFacts };

const readLimitMs = 5_000;
const script = path.join(import.meta.dirname, 'read-directory.ts');

/** A whole disk of pictures comes within hours; PostgreSQL stops when its disk is full. */
const limits = {
  warn: { bytes: 2 * 2 ** 30, share: 0.1 },
  fail: { bytes: 512 * 2 ** 20, share: 0.02 },
};
/** Beyond this, a small share is much room nevertheless. */
const plentyBytes = 50 * 2 ** 30;

/** @throws Error when the disk does not answer */
export async function readDirectory(folder: string): Promise<DirectoryFacts> {
  const child = spawn(process.execPath, [script, folder], { stdio: ['ignore', 'pipe', 'ignore'] });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  const ended = new Promise<boolean>((resolve) => {
    child.once('close', () => resolve(true));
    child.once('error', () => resolve(true));
  });
  if (!(await within(ended, readLimitMs, false))) {
    child.kill('SIGKILL');
    child.unref();
    child.stdout.destroy();
    throw new Error(`${folder} did not answer within ${readLimitMs / 1_000} s: is it a network disk that is gone?`);
  }
  if (out === '') throw new Error(`${folder} cannot be looked at`);
  return directoryFacts.parse(JSON.parse(out));
}

/** Can this user write there? */
export function judgeWritable({ variable, folder, facts }: Directory, user: string): Finding {
  const where = `${variable} (${folder})`;
  const shown = quoted(folder);
  if (facts.state === 'not-a-directory')
    return fail(`${where} is no directory.`, `mv ${shown} ${quoted(`${folder}.old`)} && mkdir -p ${shown}`);
  if (facts.state === 'unreachable')
    return fail(
      `${where} cannot be reached: something on its way is no directory, or closed to ${user}.`,
      `namei -l ${shown}`,
    );
  if (!facts.isWritable)
    return fail(
      `${where} cannot be written by ${user}.`,
      `sudo mkdir -p ${shown} && sudo chown -R ${quoted(user)} ${shown}`,
    );
  if (facts.state === 'there') return ok(`${where} can be written by ${user}.`);
  return variable === 'ARCHIVE_DIR'
    ? ok(`${where} is not there yet; it is made with the first archive.`)
    : warn(`${where} is not there: right on a new host only, elsewhere the variable is wrong.`, `mkdir -p ${shown}`);
}

/** Room on each disk, once. */
export function judgeRoom(directories: Directory[]): Finding[] {
  const looked = directories.flatMap((directory) =>
    'bytes' in directory.facts ? [{ ...directory, facts: directory.facts }] : [],
  );
  const disks = Map.groupBy(looked, ({ facts }) => facts.device);
  return [...disks.values()].flatMap((onDisk): Finding[] => {
    const [first] = onDisk;
    if (!first) return [];
    const { bytes, inodes, isLocal } = first.facts;
    const where = `The disk of ${onDisk.map(({ variable }) => variable).join(' and ')} (${first.folder})`;
    if (!isLocal) return [info(`${where} is a network disk: its server knows how much room is left.`)];
    const biggest = `du -xh --max-depth=2 ${quoted(first.folder)} | sort -h | tail -n 20`;
    const left = `${where} has ${size(bytes.free)} of ${size(bytes.total)} left`;
    const findings: Finding[] = [];
    if (isShort(bytes, limits.fail))
      findings.push(fail(`${left}: uploads and databases stop when it is full.`, biggest));
    else if (isShort(bytes, limits.warn)) findings.push(warn(`${left}.`, biggest));
    if (inodes.total > 0) {
      const share = inodes.free / inodes.total;
      const text = `${where} has ${Math.floor(share * 100)} % of its inodes left: no file can be made without one.`;
      const most = `du --inodes -x --max-depth=3 ${quoted(first.folder)} | sort -n | tail -n 20`;
      if (share < limits.fail.share) findings.push(fail(text, most));
      else if (share < limits.warn.share) findings.push(warn(text, most));
    }
    return findings.length > 0 ? findings : [ok(`${left}.`)];
  });
}

function isShort({ free, total }: { free: number; total: number }, limit: { bytes: number; share: number }): boolean {
  return free < limit.bytes || (free < total * limit.share && free < plentyBytes);
}

function size(bytes: number): string {
  return bytes < 2 ** 30 ? `${Math.floor(bytes / 2 ** 20)} MiB` : `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
