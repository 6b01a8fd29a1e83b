import { describe, expect, it } from '@jest/globals';
import { createLongProgress } from './long-progress.ts';

function open(output: { isTTY?: boolean; columns?: number }) {
  let written = '';
  let at = 0;
  const progress = createLongProgress(
    { ...output, write: (text: string) => (written += text) },
    { label: 'Backfill', things: 'objects' },
    () => at,
  );
  return { progress, written: () => written, pass: (ms: number) => (at += ms) };
}

describe('progress of long work', () => {
  it('is one line on a terminal, with how fast it goes and how long it takes still', () => {
    const { progress, written, pass } = open({ isTTY: true, columns: 100 });

    pass(10_000);
    progress.at(2_000, 8_000);
    progress.done();

    expect(written()).toBe(
      `\r\u001b[2KBackfill [${'#'.repeat(6)}${'.'.repeat(18)}] 2,000 of 8,000 objects, 200/s, 30 s left\n`,
    );
  });

  it('is not drawn more often than anybody can read, and never wider than the terminal', () => {
    const { progress, written, pass } = open({ isTTY: true, columns: 40 });

    for (let done = 1; done <= 100; done += 1) {
      pass(10);
      progress.at(done, 1_000);
    }

    const lines = written().split('\r\u001b[2K').slice(1);
    expect(lines).toHaveLength(5);
    expect(lines.every((line) => line.length === 39)).toBe(true);
  });

  it('is a plain line per tenth where there is no terminal', () => {
    const { progress, written, pass } = open({});

    for (let done = 1; done <= 30; done += 1) {
      pass(60_000);
      progress.at(done, 100);
    }
    progress.done();

    expect(written()).toBe(
      [
        'Backfill: 10 of 100 objects, 0/s, 1 h 30 min left\n',
        'Backfill: 20 of 100 objects, 0/s, 1 h 20 min left\n',
        'Backfill: 30 of 100 objects, 0/s, 1 h 10 min left\n',
      ].join(''),
    );
  });
});
