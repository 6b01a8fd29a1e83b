import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isProcessAlive } from '@omnizap/embedded';
import { waitFor } from '@omnizap/testkit';
import ts from 'typescript';

/** Does what matters to boot.mjs of `npm ci`: wipes node_modules, takes a while, writes the marker last. Or fails as it does. */
const fakeNpm = `
const fs = require('fs');
if (process.env.FAKE_NPM_ERROR) { console.error('npm error code X\\nnpm error ' + process.env.FAKE_NPM_ERROR); process.exit(1); }
fs.appendFileSync('installs.txt', process.argv[2] + '\\n');
fs.rmSync('node_modules', { recursive: true, force: true });
fs.mkdirSync('node_modules');
setTimeout(() => fs.writeFileSync('node_modules/.package-lock.json', '{}'), 300);
`;
const fakeCommand = `
process.stdout.write('arguments ' + JSON.stringify(process.argv.slice(2)) + '\\n');
if (process.argv[2] === 'exit') process.exit(Number(process.argv[3]));
if (process.argv[2] === 'die') process.kill(process.pid, 'SIGKILL');
if (process.argv[2] === 'wait') {
  let signals = 0;
  process.on('SIGINT', () => { signals += 1; setTimeout(() => { process.stdout.write('signals ' + signals + '\\n'); process.exit(7); }, 200); });
  process.on('disconnect', () => process.exit(9));
  process.stdout.write('waiting as ' + process.pid + '\\n');
}
`;

type Run = { child: ChildProcess; output: () => string; code: Promise<number | null> };

const parent = await mkdtemp(path.join(tmpdir(), 'omnizap boot '));
let root: string;
let count = 0;

beforeEach(async () => {
  root = path.join(parent, `project ${(count += 1)}`);
  await mkdir(path.join(root, 'tools'), { recursive: true });
  await mkdir(path.join(root, 'deploy'));
  for (const file of ['tools/boot.mjs', 'deploy/pinned-node.cjs'])
    await cp(path.join(import.meta.dirname, '..', file), path.join(root, file));
  await writeFile(path.join(root, 'package.json'), '{"type":"module"}');
  await writeFile(path.join(root, 'package-lock.json'), '{"lockfileVersion":3}');
  await writeFile(path.join(root, 'tools', 'test.ts'), fakeCommand);
  await mkdir(path.join(root, 'npm'));
  await writeFile(path.join(root, 'npm', 'package.json'), '{"type":"commonjs"}');
  await writeFile(path.join(root, 'npm', 'npm-cli.js'), fakeNpm);
});
afterAll(async () => await rm(parent, { recursive: true, force: true }));

function boot(args: string[], env: Record<string, string> = {}): Run {
  const child = spawn(process.execPath, [path.join(root, 'tools', 'boot.mjs'), ...args], {
    cwd: root,
    env: { PATH: process.env.PATH, npm_execpath: path.join(root, 'npm', 'npm-cli.js'), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const code = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, output: () => output, code };
}

async function installs(): Promise<number> {
  return (await readFile(path.join(root, 'installs.txt'), 'utf8').catch(() => ''))
    .split('\n')
    .filter((line) => line === 'ci').length;
}

describe('boot.mjs', () => {
  it.each(['boot.mjs', '../deploy/pinned-node.cjs'])('can be parsed by old versions of Node.js: %s', async (file) => {
    const source = await readFile(path.join(import.meta.dirname, file), 'utf8');

    const lower = (target: ts.ScriptTarget): string =>
      ts.transpileModule(source, {
        fileName: 'boot.mjs',
        compilerOptions: { target, module: ts.ModuleKind.ESNext, allowJs: true },
      }).outputText;

    // Node 12 speaks ES2019: what the compiler would have to rewrite for it, it could not parse.
    expect(lower(ts.ScriptTarget.ES2019)).toBe(lower(ts.ScriptTarget.ESNext));
    expect(source).not.toContain("'node:");
  });

  it('installs once, also when two commands start at once, and not again', async () => {
    const [one, two] = [boot(['test', 'a b']), boot(['test', 'c'])];

    expect([await one.code, await two.code]).toEqual([0, 0]);
    expect(await installs()).toBe(1);
    expect(one.output()).toContain('arguments ["a b"]');
    expect(await boot(['test']).code).toBe(0);
    expect(await installs()).toBe(1);
  });

  it('installs again after an installation that was cut short, and when the lockfile has changed', async () => {
    await boot(['test']).code;
    await rm(path.join(root, 'node_modules', '.package-lock.json'));
    await boot(['test']).code;
    expect(await installs()).toBe(2);

    await writeFile(path.join(root, 'package-lock.json'), '{"lockfileVersion":3,"packages":{}}');
    const inTheFuture = new Date(Date.now() + 60_000);
    await utimes(path.join(root, 'package-lock.json'), inTheFuture, inTheFuture);
    await boot(['test']).code;
    expect(await installs()).toBe(3);
  });

  it('takes over the lock of an installation whose process is gone', async () => {
    const gone = boot(['unknown']);
    await gone.code;
    await mkdir(path.join(root, '.cache'));
    await writeFile(path.join(root, '.cache', 'install.lock'), `${gone.child.pid ?? 0} 1`);

    expect(await boot(['test']).code).toBe(0);
    expect(await installs()).toBe(1);
  });

  it.each([
    ['getaddrinfo ENOTFOUND registry', /cannot be reached/],
    ['ENOSPC: no space left on device', /disk is full/],
    ['EACCES: permission denied', /cannot be written/],
  ])('says in one line what to do when npm fails with %s', async (complaint, advice) => {
    const run = boot(['test'], { FAKE_NPM_ERROR: complaint });

    expect(await run.code).toBe(1);
    const lines = run.output().trim().split('\n').slice(1);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(advice);
    expect(lines[0]).toContain(complaint);
  });

  it('ends as the command ends', async () => {
    expect(await boot(['test', 'exit', '5']).code).toBe(5);
    expect(await boot(['test', 'die']).code).toBe(128 + 9);
  });

  it('passes a signal on once, however often it arrives within a moment', async () => {
    const run = boot(['test', 'wait']);
    await waitFor(() => run.output().includes('waiting as'));

    run.child.kill('SIGINT');
    run.child.kill('SIGINT');

    expect(await run.code).toBe(7);
    expect(run.output()).toContain('signals 1');
  });

  it('takes its command along when it is SIGKILLed', async () => {
    const run = boot(['test', 'wait']);
    const pid = await waitFor(() => /waiting as (\d+)/.exec(run.output())?.[1]);

    run.child.kill('SIGKILL');

    await run.code;
    await waitFor(() => !isProcessAlive(Number(pid)));
  });

  it('lists the commands when it does not know one', async () => {
    const run = boot(['frobnicate']);

    expect(await run.code).toBe(2);
    expect(run.output()).toMatch(/Unknown command "frobnicate"\. Commands: start, test, .*maintenance, ops, pm2\./);
  });
});
