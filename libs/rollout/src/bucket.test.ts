import { describe, expect, it } from '@jest/globals';
import { bucketOf } from './bucket.ts';

const subjects = Array.from({ length: 10_000 }, (_, index) => `subject-${index}`);
const first = 'enable_worker_dedicated_processes';
const second = 'enable_worker_canary_release';

describe('buckets', () => {
  it('are those of the Unleash contract', () => {
    expect(bucketOf('gr1', '123')).toBe(73);
    expect(bucketOf('groupX', '999')).toBe(25);
  });

  it('count UTF-8, not characters', () => {
    expect(bucketOf('sticker', 'usuário')).toBe(61);
  });

  it.each([1, 5, 10, 25, 50, 75, 90])('of %i percent hold that share of 10,000 subjects within a point', (percent) => {
    const share = subjects.filter((subject) => bucketOf(second, subject) <= percent).length / 100;

    expect(Math.abs(share - percent)).toBeLessThan(1);
  });

  it('of two flags have nothing to do with each other: a hundredth is in both first tenths', () => {
    const both = subjects.filter((subject) => bucketOf(first, subject) <= 10 && bucketOf(second, subject) <= 10);

    expect(both.length).toBeGreaterThan(70);
    expect(both.length).toBeLessThan(135);
  });

  it('only gain subjects when the percentage rises', () => {
    const at = (percent: number): Set<string> =>
      new Set(subjects.filter((subject) => bucketOf(first, subject) <= percent));

    const more = at(25);

    expect([...at(10)].every((subject) => more.has(subject))).toBe(true);
  });
});
