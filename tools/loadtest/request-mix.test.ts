import { describe, expect, it } from '@jest/globals';
import { createSeededRandom } from '../simulation/seeded-random.ts';
import { createRequestMix, groupsOfPaths, type RequestGroup } from './request-mix.ts';

const group = (label: string, weight: number, count: number, isSkewed = false): RequestGroup => ({
  label,
  weight,
  isSkewed,
  requests: Array.from({ length: count }, (_none, index) => ({ method: 'GET', path: `/${label}/${index}` })),
});

function draw(groups: RequestGroup[], count: number, seed = 1) {
  const next = createRequestMix(groups, createSeededRandom(seed));
  return Array.from({ length: count }, () => next());
}

describe('the mix of requests', () => {
  it('is the same for the same seed', () => {
    const groups = [group('a', 1, 10), group('b', 2, 10)];
    expect(draw(groups, 100)).toEqual(draw(groups, 100));
    expect(draw(groups, 100)).not.toEqual(draw(groups, 100, 2));
  });

  it('keeps to the weights, whatever the groups hold', () => {
    const drawn = draw([group('a', 1, 100), group('empty', 50, 0), group('b', 3, 1)], 8_000);
    const ofB = drawn.filter(({ group: index }) => index === 2).length;
    expect(drawn.some(({ group: index }) => index === 1)).toBe(false);
    // 6000 are expected; four standard deviations are 155.
    expect(Math.abs(ofB - 6_000)).toBeLessThan(155);
  });

  it('asks more often for what is in front of a skewed group, and for the rest too', () => {
    const drawn = draw([group('a', 1, 100, true)], 10_000).map(({ request }) => request.path);
    const times = (path: string): number => drawn.filter((one) => one === path).length;
    expect(times('/a/0')).toBeGreaterThan(5 * times('/a/99'));
    expect(new Set(drawn).size).toBe(100);
  });

  it('asks for the own paths in equal shares', () => {
    const drawn = draw(groupsOfPaths(['/one', '/two']), 4_000).map(({ request }) => request.path);
    expect(Math.abs(drawn.filter((path) => path === '/one').length - 2_000)).toBeLessThan(130);
  });

  it('refuses to ask for nothing', () => {
    expect(() => createRequestMix([group('empty', 1, 0)], Math.random)).toThrow('nothing to ask for');
  });
});
