import { describe, expect, it } from '@jest/globals';
import { readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isProcessAlive } from '@omnizap/embedded';
import { spawnProcess, waitFor } from '@omnizap/testkit';

/** Seeds that nobody else uses at the same time: the folder of a run is found by them. */
const seedOf = (offset: number): number => 1_000_000 + process.pid * 10 + offset;

async function folderOf(seed: number): Promise<string | null> {
  const name = (await readdir(tmpdir())).find((entry) => entry.startsWith(`omnizap-chaos-kept-${seed}-`));
  return name === undefined ? null : path.join(tmpdir(), name);
}

type Line = { type: string; event?: string; pid?: number };
async function readHistory(folder: string): Promise<Line[]> {
  const text = await readFile(path.join(folder, 'history.jsonl'), 'utf8');
  return text
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line) as Line);
}

const startTool = async (...args: string[]) => await spawnProcess('tools/chaos.ts', args, {}, { waitForReady: false });

describe('npm run chaos', () => {
  it('refuses what it does not understand with code 2', async () => {
    const tool = await startTool('--faults', 'flood');

    expect(await tool.exited).toMatchObject({ code: 2 });
    expect(tool.output()).toContain('There is no fault "flood"');
  });

  it('kills, judges and reports as JSON', async () => {
    const tool = await startTool('--seed', String(seedOf(1)), '--faults', 'kill', '--duration', '8', '--json');

    const { code } = await tool.exited;
    const output = tool.output();
    const report = JSON.parse(output.slice(output.indexOf('{\n'), output.lastIndexOf('}') + 1)) as Record<
      string,
      unknown
    >;
    const folder = await folderOf(seedOf(1));
    if (folder !== null) await rm(folder, { recursive: true, force: true });
    expect(report).toMatchObject({
      seed: seedOf(1),
      database: 'postgres',
      runs: 1,
      faults: ['kill'],
      lost: 0,
      unexpected: 0,
      doubled: 0,
      inversions: 0,
      stale_writes: 0,
      orphans: 0,
      violations: [],
    });
    expect(report.events).toBeGreaterThan(50);
    expect(report.effects).toBeGreaterThan(50);
    expect(code).toBe(0);
  }, 300_000);

  it('leaves nothing running when it is interrupted, and nothing when it is killed', async () => {
    for (const [signal, offset] of [
      ['SIGTERM', 2],
      ['SIGKILL', 3],
    ] as const) {
      const tool = await startTool('--seed', String(seedOf(offset)), '--faults', 'pause', '--duration', '60', '--keep');
      const folder = await waitFor(() => folderOf(seedOf(offset)), { timeoutMs: 60_000 });
      const isPaused = async () => (await readFile(path.join(folder, 'history.jsonl'), 'utf8')).includes('"paused"');
      await waitFor(isPaused, { timeoutMs: 120_000, description: 'a process that is frozen' });

      tool.kill(signal);
      await tool.exited;

      const pids = (await readHistory(folder)).flatMap(({ event, pid }) => (event === 'started' && pid ? [pid] : []));
      await rm(folder, { recursive: true, force: true });
      expect(pids.length).toBeGreaterThanOrEqual(12);
      await waitFor(() => pids.every((pid) => !isProcessAlive(pid)), { timeoutMs: 20_000 });
    }
  }, 400_000);
});
