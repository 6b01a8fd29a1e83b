import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openDemoState } from './demo-state.ts';
import { writePrivateFile } from './private-file.ts';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'omnizap-state-'));
});
afterEach(async () => {
  await rm(dataDir, { recursive: true, force: true });
});

describe('openDemoState', () => {
  it('remembers made packs and their viewers for the next run', async () => {
    const first = await openDemoState(dataDir, 'oz_aaaa_secret');
    expect(first.isStarted()).toBe(false);
    await Promise.all([
      first.setPack('love', 'love-123456', { isEngaged: true }),
      first.setPack('food', 'food-123456', { isEngaged: false }),
    ]);
    const second = await openDemoState(dataDir, 'oz_aaaa_secret');
    expect([second.isStarted(), second.isCompleted(), second.demoId === first.demoId]).toEqual([true, false, true]);
    expect([second.packKey('love'), second.isEngaged('love')]).toEqual(['love-123456', true]);
    expect([second.packKey('food'), second.isEngaged('food')]).toEqual(['food-123456', false]);
    expect(second.packKey('sport')).toBeNull();
    await second.complete();
    expect((await openDemoState(dataDir, 'oz_aaaa_secret')).isCompleted()).toBe(true);
  });

  it('begins anew when the owner key belongs to another catalogue', async () => {
    const first = await openDemoState(dataDir, 'oz_aaaa_secret');
    await first.setPack('love', 'love-123456', { isEngaged: true });
    await first.complete();
    const other = await openDemoState(dataDir, 'oz_bbbb_secret');
    expect([other.isStarted(), other.isCompleted()]).toEqual([false, false]);
    expect(other.demoId).not.toBe(first.demoId);
  });

  it('does not keep the secret part of the key', async () => {
    await (await openDemoState(dataDir, 'oz_aaaa_secret')).complete();
    expect(await readFile(path.join(dataDir, 'demo-seed.json'), 'utf8')).not.toContain('secret');
  });

  it('names the file that is damaged', async () => {
    await writeFile(path.join(dataDir, 'demo-seed.json'), '{"is_comp');
    await expect(openDemoState(dataDir, 'oz_aaaa_secret')).rejects.toThrow(/demo-seed\.json is damaged/);
  });
});

describe('writePrivateFile', () => {
  it('leaves a file that only its owner can read, whatever lay there before', async () => {
    const file = path.join(dataDir, 'deeper', 'secret.json');
    await writePrivateFile(file, { a: 1 });
    await chmod(file, 0o644);
    await writeFile(`${file}.new`, 'cut sh', { mode: 0o644 });
    await writePrivateFile(file, { a: 2 });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ a: 2 });
  });
});
