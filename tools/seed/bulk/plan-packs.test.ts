import { describe, expect, it } from '@jest/globals';
import { createPackIds, planPack, type PlannedPack } from './plan-packs.ts';

const plan = (seed: number, count: number): PlannedPack[] =>
  Array.from({ length: count }, (_, index) => planPack(seed, index + 1));

const tally = (values: string[]): number[] => {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts.values()].sort((a, b) => b - a);
};

describe('planPack', () => {
  const packs = plan(1, 5_000);

  it('plans the same pack for the same seed and number, and another one for another', () => {
    expect(plan(1, 50)).toEqual(packs.slice(0, 50));
    expect(tally([...plan(1, 50), ...plan(2, 50)].map(({ name, publisher }) => `${name} ${publisher}`))[0]).toBe(1);
  });

  it('gives every pack an id and a key of its own, also among those of other seeds', () => {
    const all = [...packs, ...plan(2, 5_000)];

    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    expect(new Set(all.map(({ packKey }) => packKey)).size).toBe(all.length);
  });

  it('keeps what the API would take', () => {
    for (const { name, publisher, description, tags, packKey } of packs) {
      expect([
        name.length <= 120 && name.trim() === name,
        publisher.length <= 120,
        description.length <= 1_024,
      ]).toEqual([true, true, true]);
      expect(tags.length).toBeGreaterThanOrEqual(1);
      expect(new Set(tags).size).toBe(tags.length);
      expect(packKey).toMatch(/^[a-z0-9-]{8,64}$/);
    }
  });

  it('has few of what is seldom: sensitive, animated, hidden', () => {
    const share = (matches: (pack: PlannedPack) => boolean): number => packs.filter(matches).length / packs.length;

    expect(share(({ nsfwLevel }) => nsfwLevel !== 'unknown')).toBeCloseTo(0.02, 1);
    expect(share(({ isAnimated }) => isAnimated)).toBeCloseTo(0.05, 1);
    expect(share(({ visibility, status }) => visibility === 'public' && status === 'published')).toBeCloseTo(0.95, 1);
    expect(tally(packs.map(({ nsfwLevel }) => nsfwLevel))).toHaveLength(3);
    expect(tally(packs.map(({ visibility }) => visibility))).toHaveLength(3);
  });

  it('has publishers and words with a long tail', () => {
    const publishers = tally(packs.map(({ publisher }) => publisher));
    const words = tally(packs.flatMap(({ name }) => name.split(' ')));

    expect(publishers[0]).toBeGreaterThan(100);
    expect(publishers.filter((count) => count === 1).length).toBeGreaterThan(500);
    expect(words[0]).toBeGreaterThan(400);
    expect(words.filter((count) => count === 1).length).toBeGreaterThan(500);
  });

  it('counts no more than happened', () => {
    for (const { counts, createdDaysAgo, updatedDaysAgo, opensDay } of packs) {
      expect(Object.values(counts).every((count) => Number.isInteger(count) && count >= 0)).toBe(true);
      expect(counts.like).toBeLessThanOrEqual(counts.open);
      expect(updatedDaysAgo).toBeLessThanOrEqual(createdDaysAgo);
      expect(opensDay).toBeLessThanOrEqual(10 * counts.open + 1);
    }
  });
});

describe('createPackIds', () => {
  it('tells the packs of a seed from all others, and a pack’s number from its id', () => {
    const { pack, range, numberOf, sticker } = createPackIds(0xfe);

    expect(pack(100_000)).toBe('5eed00fe-0000-7000-8000-0000000186a0');
    expect(numberOf(pack(100_000))).toBe(100_000);
    expect([range[0], pack(1), pack(1_000_000), range[1]].toSorted()).toEqual([
      ...[range[0], pack(1), pack(1_000_000), range[1]],
    ]);
    expect(createPackIds(0xff).pack(1) > range[1]).toBe(true);
    expect(sticker(2, 0)).toBe('5eed00fe-0000-7000-9000-000000000040');
    expect(sticker(1, 29) < sticker(2, 0)).toBe(true);
  });
});
