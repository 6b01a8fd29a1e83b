import { describe, expect, it } from '@jest/globals';
import { createDemoProgress } from './demo-progress.ts';

function capture(options: { isTTY: boolean; columns?: number }) {
  const written: string[] = [];
  return { written, output: { ...options, write: (text: string) => written.push(text) } };
}

function finish(progress: ReturnType<typeof createDemoProgress>, total: number): void {
  for (let done = 1; done <= total; done += 1) {
    progress.add('drawn');
    progress.add('uploaded');
    progress.update({ classified: done, ready: done });
  }
}

describe('createDemoProgress', () => {
  it('prints at most ten lines for any number of stickers when there is no terminal', () => {
    const { written, output } = capture({ isTTY: false });
    finish(createDemoProgress(output, 500), 500);
    expect(written.length).toBeLessThanOrEqual(10);
    expect(written.every((line) => line.endsWith('\n'))).toBe(true);
    expect(written.at(-1)).toContain('ready 500 of 500');
  });

  it('redraws one line on a terminal, never wider than it, at most ten times a second', () => {
    const { written, output } = capture({ isTTY: true, columns: 60 });
    let nowMs = 0;
    const progress = createDemoProgress(output, 100, () => nowMs);
    for (let step = 0; step < 100; step += 1) {
      nowMs += 20;
      progress.add('drawn');
    }
    expect(written.length).toBeGreaterThan(0);
    expect(written.length).toBeLessThanOrEqual(1 + (100 * 20) / 100);
    for (const text of written) {
      expect(text).not.toContain('\n');
      expect(text.startsWith('\r\u001b[2K')).toBe(true);
      expect(text.length - '\r\u001b[2K'.length).toBeLessThan(60);
    }
  });

  it('always draws the last step', () => {
    const { written, output } = capture({ isTTY: true, columns: 200 });
    finish(
      createDemoProgress(output, 3, () => 0),
      3,
    );
    expect(written.at(-1)).toContain('ready 3 of 3');
  });

  it('makes room on the terminal for a whole line', () => {
    const { written, output } = capture({ isTTY: true });
    createDemoProgress(output, 1).say('done');
    expect(written).toEqual(['\r\u001b[2Kdone\n']);
  });
});
