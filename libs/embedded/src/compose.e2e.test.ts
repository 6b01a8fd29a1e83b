import { expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { locateCompose } from './compose-location.ts';

const run = promisify(execFile);
const cacheDir = path.resolve(import.meta.dirname, '../../../.cache/compose');

it('finds a Docker Compose that reads files and refuses wrong ones, or says why there is none', async () => {
  const log: string[] = [];
  const compose = await locateCompose({ cacheDir, log: (line) => log.push(line) });
  if (compose === null) {
    expect(log.at(-1)).toMatch(/no apt-get|could not be fetched|do(?:es)? not run here/);
    return;
  }
  expect(compose.version).toMatch(/^v?\d+\.\d+/);
  const folder = await mkdtemp(path.join(tmpdir(), 'omnizap compose '));
  try {
    const [program = '', ...words] = compose.command;
    const read = async (text: string) => {
      const file = path.join(folder, 'docker-compose.yml');
      await writeFile(file, text);
      return await run(program, [...words, '-f', file, 'config']);
    };
    const { stdout } = await read('services:\n  web:\n    image: "nginx:${WEB_VERSION:-1.27}"\n');
    expect(stdout).toContain('nginx:1.27');
    await expect(read('services:\n  web:\n    image: nginx\n    prots: ["80"]\n')).rejects.toThrow(/prots/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
