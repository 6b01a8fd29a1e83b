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

/** What is written, by a clock that goes on a second with each look at it. */
function watch(options: { isTTY?: boolean; columns?: number }, already = 0) {
  const written: string[] = [];
  let seconds = -1;
  const progress = createLongProgress(
    { ...options, write: (text) => written.push(text) },
    { label: 'Seed', things: 'packs', already },
    () => (seconds += 1) * 1_000,
  );
  return { written, progress };
}

describe('progress of work that says something and goes on', () => {
  it('prints a line for each tenth where there is no terminal', () => {
    const { written, progress } = watch({});

    for (let done = 50; done <= 1_000; done += 50) progress.at(done, 1_000);
    progress.say('Done.');

    expect(written).toHaveLength(11);
    expect(written[0]).toBe('Seed: 100 of 1,000 packs, 100/s, 9 s left\n');
    expect(written[9]).toMatch(/^Seed: 1,000 of 1,000 packs, \d+\/s\n$/);
    expect(written[10]).toBe('Done.\n');
  });

  it('draws one line on a terminal, no wider than that, with a bar and the time that is left', () => {
    const { written, progress } = watch({ isTTY: true, columns: 70 });

    progress.at(500, 1_000);
    progress.say('Stopped.');

    expect(written).toHaveLength(2);
    expect(written[0]?.startsWith('\r\u001b[2KSeed [############............] 500 of 1,000 packs, ')).toBe(true);
    expect(written[0]?.length).toBeLessThanOrEqual(70 + '\r\u001b[2K'.length);
    expect(written[1]).toBe('\r\u001b[2KStopped.\n');
  });

  it('does not take what an earlier run did for its own speed', () => {
    const { written, progress } = watch({}, 900);

    progress.at(910, 1_000);
    progress.at(1_000, 1_000);

    expect(written).toEqual(['Seed: 1,000 of 1,000 packs, 100/s\n']);
  });
});
