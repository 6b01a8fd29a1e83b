import { describe, expect, it } from '@jest/globals';
import { createSeededRandom } from './seeded-random.ts';
import { createVirtualTime, type Owner } from './virtual-time.ts';

const newOwner = (): Owner => ({ isDead: false, pausedUntilMs: 0 });

describe('virtual time', () => {
  it('does what is due in order of time, and at one instant in an order that the seed decides', async () => {
    const orderOf = async (seed: number): Promise<string> => {
      const time = createVirtualTime(createSeededRandom(seed));
      const seen: string[] = [];
      for (const name of ['a', 'b', 'c', 'd']) time.after(10, null, () => seen.push(name));
      time.after(5, null, () => seen.push('first'));
      await time.run(() => false);
      return seen.join(' ');
    };

    const orders = await Promise.all(Array.from({ length: 20 }, (_, seed) => orderOf(seed)));

    expect(orders.every((order) => order.startsWith('first '))).toBe(true);
    expect(new Set(orders).size).toBeGreaterThan(5);
    expect(await orderOf(7)).toBe(await orderOf(7));
  });

  it('lets every promise settle before it moves on', async () => {
    const time = createVirtualTime(createSeededRandom(1));
    const seen: string[] = [];
    time.after(1, null, () => {
      void (async () => {
        for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
        seen.push('fifty promises later');
      })();
    });
    time.after(2, null, () => seen.push('next'));

    await time.run(() => false);

    expect(seen).toEqual(['fifty promises later', 'next']);
  });

  it('holds back what a paused owner waits for, and forgets what a dead one waited for', async () => {
    const time = createVirtualTime(createSeededRandom(1));
    const [paused, dead] = [newOwner(), newOwner()];
    const seen: [string, number][] = [];
    time.after(10, paused, () => seen.push(['paused', time.now()]));
    time.after(10, dead, () => seen.push(['dead', time.now()]));
    time.after(5, null, () => {
      paused.pausedUntilMs = 5_000;
      dead.isDead = true;
    });

    await time.run(() => false);

    expect(seen).toEqual([['paused', 5_000]]);
  });

  it('ends a sleep early when it is told to', async () => {
    const time = createVirtualTime(createSeededRandom(1));
    const stop = new AbortController();
    const wokenAt: number[] = [];
    void time
      .clockOf(newOwner())
      .sleep(1_000, stop.signal)
      .then(() => wokenAt.push(time.now()));
    time.after(30, null, () => stop.abort());

    await time.run(() => false);

    expect(wokenAt).toEqual([30]);
  });
});
