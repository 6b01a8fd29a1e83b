import { describe, expect, it } from '@jest/globals';
import { createBulkProgress } from './bulk-progress.ts';

/** What is written, by a clock that goes on a second with each look at it. */
function watch(options: { isTTY?: boolean; columns?: number }, already = 0) {
  const written: string[] = [];
  let seconds = -1;
  const progress = createBulkProgress(
    { ...options, write: (text) => written.push(text) },
    { total: 1_000, already },
    () => (seconds += 1) * 1_000,
  );
  return { written, progress };
}

describe('createBulkProgress', () => {
  it('prints a line for each tenth where there is no terminal', () => {
    const { written, progress } = watch({});

    for (let done = 50; done <= 1_000; done += 50) progress.update(done);
    progress.say('Done.');

    expect(written).toHaveLength(11);
    expect(written[0]).toBe('Seed: 100 of 1,000 packs, 100/s, 9 s left\n');
    expect(written[9]).toMatch(/^Seed: 1,000 of 1,000 packs, \d+\/s\n$/);
    expect(written[10]).toBe('Done.\n');
  });

  it('draws one line on a terminal, no wider than that, with a bar and the time that is left', () => {
    const { written, progress } = watch({ isTTY: true, columns: 70 });

    progress.update(500);
    progress.say('Stopped.');

    expect(written).toHaveLength(2);
    expect(written[0]?.startsWith('\r\u001b[2KSeed [############............] 500 of 1,000 packs, ')).toBe(true);
    expect(written[0]?.length).toBeLessThanOrEqual(70 + '\r\u001b[2K'.length);
    expect(written[1]).toBe('\r\u001b[2KStopped.\n');
  });

  it('does not take what an earlier run did for its own speed', () => {
    const { written, progress } = watch({}, 900);

    progress.update(910);
    progress.update(1_000);

    expect(written).toEqual(['Seed: 1,000 of 1,000 packs, 100/s\n']);
  });
});
