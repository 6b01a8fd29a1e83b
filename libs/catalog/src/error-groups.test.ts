import { describe, expect, it } from '@jest/globals';
import { groupErrors } from './error-groups.ts';

const at = (minute: number): Date => new Date(Date.UTC(2026, 0, 1, 0, minute));
const head = (text: string, minute = 0, type = 'derivative') => ({
  type,
  head: text,
  firstFailedAt: at(minute),
  failedAt: at(minute + 1),
});

describe('groups of errors', () => {
  it('put errors together that differ in ids, hashes and numbers only', () => {
    const groups = groupErrors([
      head('Error: ENOENT: no such file, open data/ab/9f86d081884c7d65/original', 5),
      head('Error: ENOENT: no such file, open data/07/60303ae22b998861/original', 3),
      head('Error: timeout after 2000 ms for 0190b1c2-7a1b-7c3d-8e4f-0123456789ab at 10.0.0.7:5432', 9),
      head('Error: timeout after 30 ms for 0190b1c2-7a1b-7c3d-8e4f-ba9876543210 at 10.0.0.8:5433', 1),
      head('Error: timeout after 31 ms for ffffffff-7a1b-7c3d-8e4f-ba9876543210 at 10.0.0.8:5433', 2),
    ]);

    expect(groups).toEqual([
      {
        type: 'derivative',
        error: 'Error: timeout after … ms for … at …',
        count: 3,
        firstFailedAt: at(1),
        lastFailedAt: at(10),
        contains: 'Error: timeout after',
      },
      {
        type: 'derivative',
        error: 'Error: ENOENT: no such file, open data/ab/…/original',
        count: 1,
        firstFailedAt: at(5),
        lastFailedAt: at(6),
        contains: 'Error: ENOENT: no such file, open data/ab/',
      },
      {
        type: 'derivative',
        error: 'Error: ENOENT: no such file, open data/…/…/original',
        count: 1,
        firstFailedAt: at(3),
        lastFailedAt: at(4),
        contains: 'Error: ENOENT: no such file, open data/',
      },
    ]);
  });

  it('keep types apart and look at the first line only', () => {
    const groups = groupErrors([
      head('Error: same\n    at one', 0, 'rebuild'),
      head('Error: same\n    at another', 0, 'rebuild'),
      head('Error: same', 0, 'curation'),
    ]);

    expect(groups.map(({ type, count }) => [type, count])).toEqual([
      ['rebuild', 2],
      ['curation', 1],
    ]);
  });

  it('offer a text to search for that every error of the group contains', () => {
    const texts = Array.from(
      { length: 50 },
      (_, index) => `Event ${index * 37} (X${index}) does not match its schema: no`,
    );

    const [group] = groupErrors(texts.map((text) => head(text)));

    expect(group?.count).toBe(50);
    expect(group?.contains.length).toBeGreaterThan(10);
    expect(texts.filter((text) => !text.includes(group?.contains ?? 'nothing'))).toEqual([]);
  });

  it('are none for no errors, and one for errors without a word', () => {
    expect(groupErrors([])).toEqual([]);
    expect(groupErrors([head(''), head('')])).toMatchObject([{ error: '', count: 2, contains: '' }]);
  });
});
