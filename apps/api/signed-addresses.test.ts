import { describe, expect, it } from '@jest/globals';
import { createSignedAddresses } from './signed-addresses.ts';

const sha256 = 'a'.repeat(64);

/** Says what it was asked for. */
const signing = () => {
  const asked: string[] = [];
  return {
    asked,
    clockOffsetMs: () => 0,
    signedUrl: (kind: string, hash: string, at: Date) => {
      asked.push(`${kind}/${hash}`);
      return Promise.resolve(`https://bucket.test/${kind}/${hash}?at=${at.toISOString()}`);
    },
  };
};

describe('createSignedAddresses', () => {
  it.each([
    { ttlSeconds: 150, addresses: 72, keptSeconds: [75, 125] },
    { ttlSeconds: 300, addresses: 36, keptSeconds: [150, 250] },
    { ttlSeconds: 600, addresses: 18, keptSeconds: [300, 500] },
  ])('gives few addresses, each with most of its life left, for $ttlSeconds s', async (expected) => {
    const objects = signing();
    const addresses = createSignedAddresses(objects, expected);
    const urls = new Set<string>();
    const ages: number[] = [];
    const lefts: number[] = [];
    const start = Date.parse('2026-11-28T00:00:00Z');
    for (let second = 0; second < 3_600; second += 1) {
      const now = start + second * 1_000;
      const { url, maxAgeSeconds } = await addresses.of('sticker', sha256, now);
      urls.add(url);
      ages.push(maxAgeSeconds);
      lefts.push(expected.ttlSeconds - (now - Date.parse(new URL(url).searchParams.get('at') ?? '')) / 1_000);
    }

    expect(urls.size).toBe(expected.addresses);
    expect(objects.asked).toHaveLength(expected.addresses);
    expect(Math.min(...lefts)).toBeGreaterThan((expected.ttlSeconds * 2) / 3);
    // Numbers that runbooks/tuning.md gives; at whole seconds nobody comes in the last moment.
    expect([Math.min(...ages) - 1, Math.max(...ages)]).toEqual(expected.keptSeconds);
    expect(ages.every((age, index) => age < (lefts[index] ?? 0))).toBe(true);
  });

  it('tells contents and kinds apart, and asks again after a failure', async () => {
    const objects = signing();
    let isFailing = true;
    const addresses = createSignedAddresses(
      {
        clockOffsetMs: () => 0,
        signedUrl: (...of) => (isFailing ? Promise.reject(new Error('no endpoint')) : objects.signedUrl(...of)),
      },
      { ttlSeconds: 60 },
    );
    await expect(addresses.of('sticker', sha256)).rejects.toThrow('no endpoint');
    isFailing = false;

    const [sticker, preview, other] = await Promise.all([
      addresses.of('sticker', sha256),
      addresses.of('preview', sha256),
      addresses.of('sticker', 'b'.repeat(64)),
    ]);
    expect(new Set([sticker.url, preview.url, other.url]).size).toBe(3);
    expect(sticker.url).toContain(sha256);
  });
});
