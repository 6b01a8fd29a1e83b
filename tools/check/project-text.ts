/**
 * The project's own text files, and what must not stand in them: paths of one machine, marks of unfinished work, rules
 * silenced without a reason. A wrong alarm costs a minute; a developer's home folder in a public file stays for ever.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { runProgram } from './run-program.ts';

export type TextFile = { path: string; text: string };

/** Every file that git holds or would take, as POSIX paths relative to `root`. Throws when this is not a git checkout. */
export async function listProjectFiles(root: string, signal: AbortSignal): Promise<string[]> {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const { exitCode, output } = await runProgram(root, 'git', args, signal);
  if (exitCode !== 0) throw new Error(`git ls-files failed, is this a git checkout?\n${output}`);
  return output.split('\0').filter((file) => file !== '');
}

/** The text of those files; binary ones and ones deleted but not yet committed are left out. */
export async function readTextFiles(root: string, files: string[]): Promise<TextFile[]> {
  const read = await Promise.all(
    files.map(async (file) => {
      const bytes = await readFile(path.join(root, file)).catch(() => undefined);
      return bytes === undefined || bytes.includes(0) ? [] : [{ path: file, text: bytes.toString('utf8') }];
    }),
  );
  return read.flat();
}

// The brackets keep a rule from finding itself.
const textRules = [
  // An absolute path begins a word: `apps/home/x`, `${dir}/tmp/x` and `https://host/home/x` are none.
  { expression: /(?<![\w.\-})\]/:*])\/(?:work|root|tmp|home|Users)\/[\w.@-]/, problem: 'a path of one machine' },
  { expression: /\b[A-Z]:\\\\?Users\\/, problem: 'a path of one machine' },
  {
    expression: /\b(?:TO[D]O|FIX[M]E|X[X]X|HAC[K])\b/,
    problem: 'a mark of unfinished work: do it, or describe it in an issue',
  },
  { expression: /eslint-disabl[e](?!.*\s--\s+\S)/, problem: 'a rule is disabled without a reason (-- why)' },
  { expression: /^(?:<{7}|>{7}) /, problem: 'a merge conflict' },
];

/** One line per finding: `file:line: what`. */
export function findTextProblems(file: TextFile): string[] {
  // npm writes the lock file; all we ask of it is that it names no particular registry or mirror.
  if (file.path === 'package-lock.json') {
    return findInLines(file, [{ expression: /"resolved": "https?:/, problem: 'a registry address' }]);
  }
  return findInLines(file, textRules);
}

function findInLines(file: TextFile, rules: typeof textRules): string[] {
  return file.text
    .split('\n')
    .flatMap((line, index) =>
      rules
        .filter(({ expression }) => expression.test(line))
        .map(({ problem }) => `${file.path}:${index + 1}: ${problem}: ${line.trim().slice(0, 120)}`),
    );
}
