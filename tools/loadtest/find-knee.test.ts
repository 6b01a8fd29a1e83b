import { describe, expect, it } from '@jest/globals';
import { findKnee, kneeBounds, type KneeStep } from './find-knee.ts';

/** A server that answers `capacity` requests per second in time. */
const server =
  (capacity: number, reason: KneeStep['reason'] = 'latency') =>
  (rate: number): Promise<KneeStep> =>
    Promise.resolve(
      rate <= capacity
        ? { rate, achieved: rate, p99Ms: 10, isGood: true, reason: null }
        : { rate, achieved: capacity, p99Ms: 900, isGood: false, reason },
    );

describe('the search for the knee', () => {
  it.each([3, 50, 51, 99, 640, 1_234, 9_000])('finds %d requests per second to within a tenth', async (capacity) => {
    const { rate, limitedBy, steps } = await findKnee(50, server(capacity));
    expect(rate).toBeLessThanOrEqual(capacity);
    expect(rate ?? 0).toBeGreaterThan(capacity / (1 + kneeBounds.precision) - 1);
    expect(limitedBy).toBe('latency');
    expect(steps.length).toBeLessThanOrEqual(kneeBounds.mostSteps);
  });

  it('says what was in the way', async () => {
    expect((await findKnee(50, server(400, 'generator'))).limitedBy).toBe('generator');
    expect((await findKnee(50, server(10_000_000))).limitedBy).toBe('bounds');
  });

  it('does not believe one step that fails', async () => {
    const honest = server(400);
    const failed = new Set<number>();
    const { rate } = await findKnee(50, async (asked) => {
      if (asked > 400 || failed.has(asked)) return await honest(asked);
      failed.add(asked);
      return { rate: asked, achieved: asked, p99Ms: 300, isGood: false, reason: 'latency' };
    });
    expect(rate ?? 0).toBeGreaterThan(360);
  });

  it('ends when nothing is good, and when it is told to', async () => {
    const never = await findKnee(50, server(0, 'errors'));
    expect(never).toMatchObject({ rate: null, limitedBy: 'errors' });
    expect(never.steps.length).toBeLessThanOrEqual(kneeBounds.mostSteps);
    let asked = 0;
    const stopped = await findKnee(50, async (rate) => ((asked += 1) > 2 ? null : await server(10_000)(rate)));
    expect(stopped.rate).toBe(100);
    expect(asked).toBe(3);
  });
});
