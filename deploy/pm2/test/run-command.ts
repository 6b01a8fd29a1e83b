/** The commands of a runbook as an operator's shell runs them, in the folder of a release, without npm in between. */
import { spawn } from 'node:child_process';
import path from 'node:path';

export type Run = { code: number | null; out: string; json: <T>() => T };

const files = { pm2: 'tools/pm2.ts', ops: 'apps/cli/main.ts', migrate: 'tools/migrate.ts' };
/** pm2 waits for each process to be ready. */
const longestRunMs = 120_000;

export async function runCommand(
  folder: string,
  command: keyof typeof files,
  args: string[],
  env: Record<string, string>,
): Promise<Run> {
  const child = spawn(process.execPath, [path.join(folder, files[command]), ...args], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: longestRunMs,
  });
  let out = '';
  let answer = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    answer += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (out += text));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { code, out, json: <T>() => JSON.parse(answer) as T };
}
