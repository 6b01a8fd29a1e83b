import { describe, expect, it } from '@jest/globals';
import { waitFor } from '@omnizap/testkit';
import { createLogger } from './log.ts';
import { createLoop, type Loop } from './loop.ts';

const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
const neverMs = 3_600_000;

/** A loop whose passes do what `script` says for each of them; its times are kept. */
function record(script: (count: number) => boolean | Promise<boolean>): Loop & { times: number[] } {
  const times: number[] = [];
  const loop = createLoop({
    name: 'recorded',
    intervalMs: () => neverMs,
    log,
    async pass() {
      times.push(performance.now());
      return script(times.length);
    },
  });
  return { ...loop, times };
}

describe('createLoop', () => {
  it('rests after a pass, and passes again at once when woken', async () => {
    const loop = record(() => false);
    await loop.start();
    await waitFor(() => loop.times.length === 1);

    for (let count = 2; count <= 5; count += 1) {
      loop.wake();
      await waitFor(() => loop.times.length === count);
    }

    await loop.stop();
    expect(loop.times).toHaveLength(5);
  });

  it('goes on without a rest as long as there is more', async () => {
    const loop = record((count) => count < 50);

    await loop.start();
    await waitFor(() => loop.times.length === 50);

    await loop.stop();
    expect(loop.times).toHaveLength(50);
  });

  it('does not lose a wake-up that comes while a pass is running', async () => {
    const inside = Promise.withResolvers<boolean>();
    const loop = record((count) => (count === 1 ? inside.promise : false));
    await loop.start();
    await waitFor(() => loop.times.length === 1);

    loop.wake();
    inside.resolve(false);

    await waitFor(() => loop.times.length === 2);
    await loop.stop();
  });

  it('waits longer after each failure, and forgets them with the first success', async () => {
    const loop = record((count) => {
      if (count <= 3) throw new Error('the database is away');
      return false;
    });

    await loop.start();
    await waitFor(() => loop.times.length === 4);
    loop.wake();
    await waitFor(() => loop.times.length === 5);
    await loop.stop();

    const gaps = loop.times.slice(1, 4).map((time, index) => time - (loop.times[index] ?? 0));
    // Half of 200, 400 and 800 ms is certain, the other half is jitter; a timer may fire a millisecond early.
    expect(gaps[0]).toBeGreaterThan(98);
    expect(gaps[1]).toBeGreaterThan(198);
    expect(gaps[2]).toBeGreaterThan(398);
  });

  it('stops at once while it rests, waits for a running pass, and can be stopped twice', async () => {
    const inside = Promise.withResolvers<boolean>();
    const resting = record(() => false);
    const busy = record(() => inside.promise);
    await Promise.all([resting.start(), busy.start()]);
    await waitFor(() => resting.times.length + busy.times.length === 2);

    const startedAt = performance.now();
    await resting.stop();
    await resting.stop();
    let isBusyStopped = false;
    const stopped = busy.stop().then(() => (isBusyStopped = true));
    await Promise.resolve();

    expect(isBusyStopped).toBe(false);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    inside.resolve(true);
    await stopped;
    expect(busy.times).toHaveLength(1);
  });
});
