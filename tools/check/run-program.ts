/** Starts one program and collects what it says, for gates whose work another tool does. */
import { spawn } from 'node:child_process';
import path from 'node:path';

export type ProgramResult = { exitCode: number | null; output: string };

/**
 * Runs `program` in `root` without a shell, so that a path with a space needs no quoting. `exitCode` is null when there is
 * no such program; a program ended by a signal counts as exit code 1.
 */
export function runProgram(root: string, program: string, args: string[], signal: AbortSignal): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], signal });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') resolve({ exitCode: null, output: '' });
      else reject(error);
    });
    child.on('close', (code) =>
      resolve({ exitCode: code ?? 1, output: Buffer.concat(chunks).toString('utf8').trim() }),
    );
  });
}

/** Runs a package's own command file with the Node that runs us: `.bin` links ask for a `node` on PATH. */
export function runPackageFile(
  root: string,
  file: string,
  args: string[],
  signal: AbortSignal,
): Promise<ProgramResult> {
  return runProgram(root, process.execPath, [path.join(root, 'node_modules', file), ...args], signal);
}
