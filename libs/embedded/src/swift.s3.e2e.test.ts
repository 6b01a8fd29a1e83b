import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { chmod, mkdtemp, readFile, readdir, readlink, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { waitFor } from '@omnizap/testkit';
import { isProcessAlive } from './process-identity.ts';
import { locateSwift } from './swift-location.ts';
import type { SwiftInstallation } from './swift-location.ts';
import { startSwift } from './swift.ts';
import type { EmbeddedSwift } from './swift.ts';

const sources = import.meta.dirname;

let parent: string;
let installation: SwiftInstallation;
let swift: EmbeddedSwift;

beforeAll(async () => {
  const found = await locateSwift({ cacheDir: path.resolve(sources, '../../../.cache/object-storage') });
  if (found === null) throw new Error('There is no Swift: npm test leaves this file out then.');
  installation = found;
  parent = await mkdtemp(path.join(tmpdir(), 'omnizap 100% '));
  await chmod(parent, 0o700);
  swift = await startSwift({ installation, dataDir: path.join(parent, 'with space') });
});
afterAll(async () => {
  await swift.stop();
  await rm(parent, { recursive: true, force: true });
});

describe('startSwift', () => {
  it('is one process, which listens on the loopback alone', async () => {
    const [pid = 0, ...others] = swift.pids();
    const statuses = await Promise.all(
      (await readdir('/proc')).map((name) => readFile(`/proc/${name}/status`, 'utf8').catch(() => '')),
    );
    const sockets = [await readFile('/proc/net/tcp', 'utf8'), await readFile('/proc/net/tcp6', 'utf8').catch(() => '')];
    const open = await Promise.all(
      (await readdir(`/proc/${pid}/fd`)).map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')),
    );
    const listening = sockets
      .flatMap((table) => table.split('\n').map((line) => line.trim().split(/\s+/)))
      .filter((fields) => fields[3] === '0A' && open.includes(`socket:[${fields[9]}]`));

    expect(others).toEqual([]);
    expect(statuses.filter((text) => new RegExp(`^PPid:\\s+${pid}$`, 'm').test(text))).toEqual([]);
    expect(listening).toHaveLength(4);
    // 127.0.0.1 in the kernel's form.
    expect(new Set(listening.map((fields) => fields[1]?.split(':')[0]))).toEqual(new Set(['0100007F']));
  });

  it('keeps everything in its folder, and its key from others', async () => {
    const server = path.join(parent, 'with space', 'server');

    expect((await stat(path.join(server, 'password'))).mode & 0o777).toBe(0o600);
    expect((await readFile(path.join(server, 'password'), 'utf8')).trim()).toBe(swift.secretAccessKey);
    expect((await stat(path.join(parent, 'with space'))).mode & 0o777).toBe(0o700);
    expect(await readdir(path.join(server, 'files'))).toEqual(
      expect.arrayContaining(['account.ring.gz', 'container.ring.gz', 'disks', 'object.ring.gz', 'swift.conf']),
    );
  });

  it('tells when it ends unasked, and not when it was told to', async () => {
    const exits: unknown[] = [];
    swift.onExit((exit) => exits.push(exit.signal));
    await swift.kill();
    expect([exits, swift.pids()]).toEqual([[], []]);
    await swift.restart();
    process.kill(swift.pids()[0] ?? 0, 'SIGKILL');

    await waitFor(() => exits.length > 0);
    expect(exits).toEqual(['SIGKILL']);
    await swift.restart();
    expect(swift.pids()).toHaveLength(1);
  });

  it('says why it does not start', async () => {
    const broken = { ...installation, command: [...installation.command, '-c', 'raise SystemExit("no disk")'] };

    await expect(startSwift({ installation: broken, dataDir: path.join(parent, 'broken') })).rejects.toMatchObject({
      code: 'unavailable',
      message: 'Swift did not start: no disk',
    });
  });

  it('ends with the process that started it, even with one that was SIGKILLed', async () => {
    const program = `
      import { startSwift } from ${JSON.stringify(path.join(sources, 'swift.ts'))};
      const swift = await startSwift(${JSON.stringify({ installation, dataDir: path.join(parent, 'orphan') })});
      console.log(swift.pids()[0]);
      setInterval(() => undefined, 1_000);
    `;
    const owner = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const pid = await new Promise<number>((resolve, reject) => {
      createInterface({ input: owner.stdout }).once('line', (line) => resolve(Number(line)));
      owner.once('exit', () => reject(new Error('the process ended before its Swift was ready')));
    });
    expect(isProcessAlive(pid)).toBe(true);

    owner.kill('SIGKILL');

    await waitFor(() => !isProcessAlive(pid));
  });
});
