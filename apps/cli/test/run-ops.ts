/** The operator CLI as its own process, as an operator's script runs it: no terminal, stdout and stderr apart. */
import { spawn } from 'node:child_process';
import path from 'node:path';

const projectRoot = path.join(import.meta.dirname, '../../..');
const longestRunMs = 60_000;

export type Run = { code: number | null; out: string; err: string; json: <T>() => T };

export async function runOps(env: Record<string, string>, ...args: string[]): Promise<Run> {
  const child = spawn(process.execPath, [path.join(projectRoot, 'apps/cli/main.ts'), ...args], {
    cwd: projectRoot,
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: longestRunMs,
  });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { code, out, err, json: <T>() => JSON.parse(out) as T };
}
