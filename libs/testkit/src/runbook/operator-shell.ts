/**
 * The shell of an operator: bash in the folder of the release, with the operator's settings. What a block sets, and where it
 * goes, is there in the next block, as in a terminal that stays open.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';

export type ShellRun = { code: number | null; out: string };

export type OperatorShell = {
  /** Ends at the first command that fails, as nobody should go on then. Prints go into one text, as a terminal shows them. */
  run: (script: string) => Promise<ShellRun>;
  close: () => Promise<void>;
};

export async function openShell(
  cwd: string,
  env: Record<string, string>,
  longestBlockMs: number,
): Promise<OperatorShell> {
  const folder = await mkdtemp(path.join(tmpdir(), 'omnizap-shell-'));
  const [state, script] = [path.join(folder, 'state'), path.join(folder, 'script')];
  await writeFile(state, `cd ${quote(cwd)}\n`);
  const frame = [
    'set -euo pipefail',
    // Variables as they are, exported or not, but for those that bash does not let anybody set.
    `trap '{ declare -p | grep -vE "^declare -[a-zA-Z]*r|^declare .. BASH"; printf "cd %q\\n" "$PWD"; } > "${state}"' EXIT`,
    `. ${quote(state)}`,
    `. ${quote(script)}`,
  ].join('\n');
  return {
    async run(text) {
      await writeFile(script, `${text}\n`);
      const child = spawn('bash', ['--noprofile', '--norc', '-c', frame], {
        cwd,
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
        // A group of its own, so that what hangs below npm ends with it.
        detached: true,
      });
      let out = '';
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => (out += text));
      const limit = setTimeout(() => {
        out += `\n(ended after ${longestBlockMs / 1000} s)`;
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      }, longestBlockMs);
      try {
        const code = await new Promise<number | null>((resolve, reject) => {
          child.once('error', reject);
          child.once('close', resolve);
        });
        return { code, out: stripVTControlCharacters(out) };
      } finally {
        clearTimeout(limit);
      }
    },
    close: async () => await rm(folder, { recursive: true, force: true }),
  };
}

/** One word for the shell, whatever is in it. */
export function quote(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
