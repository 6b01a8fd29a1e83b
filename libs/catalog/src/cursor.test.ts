import { describe, expect, it } from '@jest/globals';
import { formatCursor, parseCursor } from './cursor.ts';
import { sorts } from './ranking-index.ts';

const filterDigest = 'Zm9vYmFy';

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('parseCursor', () => {
  it('reads back what was given out, for every sort and far positions', () => {
    for (const sort of sorts) {
      for (const position of [0, 1, 1_023, 1_024, 10_000_000]) {
        const cursor = { source: 'snapshot' as const, generation: 9_007_199_254_740_991, sort, filterDigest, position };
        const text = formatCursor(cursor);

        expect(text).toMatch(/^[A-Za-z0-9_-]+$/);
        expect(parseCursor(text, { sort, filterDigest })).toEqual(cursor);
      }
    }
  });

  it('reads back where a live list goes on', () => {
    const last = { updatedAtMs: 1_764_057_600_123, id: '0199f0a0-0000-7000-8000-0123456789ab' };
    const cursor = { source: 'live' as const, sort: 'recent' as const, filterDigest, position: 60, last };

    expect(parseCursor(formatCursor(cursor), { sort: 'recent', filterDigest })).toEqual(cursor);
  });

  it('refuses to go on with another sort than that of the first page', () => {
    const text = formatCursor({ source: 'snapshot', generation: 1, sort: 'likes', filterDigest, position: 24 });

    expect(() => parseCursor(text, { sort: 'recent', filterDigest })).toThrow(
      expect.objectContaining({ code: 'invalid-cursor', message: expect.stringContaining('sort=likes') }),
    );
  });

  it('refuses to go on with other filters than those of the first page', () => {
    const text = formatCursor({ source: 'snapshot', generation: 1, sort: 'likes', filterDigest, position: 24 });

    expect(() => parseCursor(text, { sort: 'likes', filterDigest: 'YmFyZm9v' })).toThrow(
      expect.objectContaining({ code: 'invalid-cursor', message: expect.stringContaining('include_sensitive') }),
    );
  });

  it.each([
    ['nothing', ''],
    ['no base64', '***'],
    ['no JSON', Buffer.from('{"v":1').toString('base64url')],
    [
      'a cut one',
      formatCursor({ source: 'snapshot', generation: 1, sort: 'recent', filterDigest, position: 5 }).slice(0, -4),
    ],
    ['another version', encode({ v: 1, g: 1, s: 'recent', f: filterDigest, p: 0 })],
    ['a negative position', encode({ v: 2, g: 1, s: 'recent', f: filterDigest, p: -1 })],
    ['half a position', encode({ v: 2, g: 1, s: 'recent', f: filterDigest, p: 0.5 })],
    ['a position in words', encode({ v: 2, g: 1, s: 'recent', f: filterDigest, p: '5' })],
    ['generation 0', encode({ v: 2, g: 0, s: 'recent', f: filterDigest, p: 0 })],
    ['a generation beyond whole numbers', encode({ v: 2, g: 1e300, s: 'recent', f: filterDigest, p: 0 })],
    ['an unknown sort', encode({ v: 2, g: 1, s: 'random', f: filterDigest, p: 0 })],
    ['something more', encode({ v: 2, g: 1, s: 'recent', f: filterDigest, p: 0, x: 1 })],
    ['a list', encode([1])],
    ['null', encode(null)],
    ['a novel', 'A'.repeat(10_000)],
  ])('refuses %s', (_name, text) => {
    expect(() => parseCursor(text, { sort: 'recent', filterDigest })).toThrow(
      expect.objectContaining({ code: 'invalid-cursor' }),
    );
  });
});
