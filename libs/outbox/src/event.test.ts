import { describe, expect, it } from '@jest/globals';
import { shardCount, shardLeaseName, shardOf } from './event.ts';

/** MurmurHash3_x86_32 with seed 0 after Austin Appleby's description, on bytes and in big integers: slow, and written apart. */
function murmur3(text: string): number {
  const bytes = Buffer.from(text, 'utf8');
  const word = 2n ** 32n;
  const rotate = (value: bigint, by: bigint): bigint => ((value << by) | (value >> (32n - by))) % word;
  const scramble = (value: bigint): bigint => (rotate((value * 0xcc9e2d51n) % word, 15n) * 0x1b873593n) % word;
  const whole = bytes.length - (bytes.length % 4);
  let hash = 0n;
  for (let at = 0; at < whole; at += 4)
    hash = (rotate(hash ^ scramble(BigInt(bytes.readUInt32LE(at))), 13n) * 5n + 0xe6546b64n) % word;
  const tail = Buffer.alloc(4);
  bytes.copy(tail, 0, whole);
  hash ^= scramble(BigInt(tail.readUInt32LE(0)));
  hash ^= BigInt(bytes.length);
  hash = ((hash ^ (hash >> 16n)) * 0x85ebca6bn) % word;
  hash = ((hash ^ (hash >> 13n)) * 0xc2b2ae35n) % word;
  return Number(hash ^ (hash >> 16n));
}

describe('shardOf', () => {
  it('is MurmurHash3 of type and id in UTF-8, modulo the number of shards', () => {
    // The second computation is held against published values first.
    expect([murmur3(''), murmur3('hello'), murmur3('The quick brown fox jumps over the lazy dog')]).toEqual([
      0, 0x248bfa47, 0x2e4ff723,
    ]);

    for (let index = 0; index < 500; index += 1) {
      const id = `${'x'.repeat(index % 5)}${index}ç🎉`.slice(0, 3 + (index % 7));
      expect(shardOf('sticker_pack', id)).toBe(murmur3(`sticker_pack:${id}`) % shardCount);
    }
  });

  it('spreads aggregates over all shards', () => {
    const counts = Array.from({ length: shardCount }, () => 0);
    for (let index = 0; index < 16_000; index += 1) {
      const shard = shardOf('sticker_asset', `asset-${index}`);
      counts[shard] = (counts[shard] ?? 0) + 1;
    }

    expect(Math.min(...counts)).toBeGreaterThan(800);
    expect(Math.max(...counts)).toBeLessThan(1_200);
  });

  it('names leases so that they sort as their shards do', () => {
    const names = Array.from({ length: shardCount }, (_, shard) => shardLeaseName(shard));

    expect(names.toSorted()).toEqual(names);
  });
});
