import { describe, expect, it } from '@jest/globals';
import { discoverCatalogue, type Ask } from './discover-catalogue.ts';

/** A catalogue of one page, with one still sticker in each pack. */
const small =
  (packs: number): Ask =>
  (path) => {
    const pack = (key: number) => ({
      pack_key: `pack-${key}`,
      name: `Cats ${key}`,
      publisher: 'Ana',
      is_animated: false,
      tags: ['cat'],
      categories: ['animals'],
    });
    const list = { data: Array.from({ length: packs }, (_none, key) => pack(key)), pagination: { next_cursor: null } };
    const detail = { data: { stickers: [{ asset_url: '/assets/1.webp', emojis: ['🐱'], is_animated: false }] } };
    const body = /^\/api\/sticker-packs\/pack-/.test(path) ? detail : list;
    return Promise.resolve({ status: 200, etag: '"1"', text: JSON.stringify(body) });
  };

describe('looking around in the catalogue', () => {
  it('names what a small catalogue has nothing for', async () => {
    const { groups, leftOut } = await discoverCatalogue(small(3), { hasWrites: true, seed: 1 });
    expect(leftOut).toEqual(['list next page', 'sticker animated']);
    expect(groups.map(({ label }) => label)).not.toContain('list next page');
    expect(groups.every(({ requests }) => requests.length > 0)).toBe(true);
  });

  it('votes as 20 viewers for every pack that it read, which is what counts from one address', async () => {
    const { groups } = await discoverCatalogue(small(50), { hasWrites: true, seed: 1 });
    for (const label of ['open', 'like']) {
      const found = groups.find((group) => group.label === label)?.requests ?? [];
      const different = new Set(found.map(({ path, headers }) => `${path} ${headers?.['x-viewer-key'] ?? ''}`));
      expect(different.size).toBe(50 * 20);
    }
    const reads = await discoverCatalogue(small(50), { hasWrites: false, seed: 1 });
    expect(reads.groups.some(({ requests }) => requests.some(({ method }) => method === 'POST'))).toBe(false);
  });
});
