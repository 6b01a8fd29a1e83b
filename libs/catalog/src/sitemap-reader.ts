/**
 * What search engines are told of: every pack that anybody may see and that its owner lists, in numbered parts. A part is read in
 * batches, so that its size in memory is that of its answer. A pack that goes between two looks moves the ones behind it by one:
 * engines look again.
 */
import type { Database } from '@omnizap/runtime';
import { isReachable } from './packs.ts';
import { countListedRows, readListedRows } from './sitemap-store.ts';

/** The protocol allows 50,000 URLs and 50 MB for each file. */
export const sitemapPartSize = 45_000;
const batchSize = 5_000;

export type SitemapEntry = { packKey: string; updatedAt: Date };

export function createSitemapReader(deps: { database: Database }, options: { partSize: number; batchSize?: number }) {
  const { knex } = deps.database;
  const { partSize } = options;
  const step = Math.min(options.batchSize ?? batchSize, partSize);

  return {
    /** At least one: an empty catalogue has one empty part. */
    async partCount(): Promise<number> {
      return Math.max(1, Math.ceil((await countListedRows(knex)) / partSize));
    },

    /** The entries of a part, from 1 on; none behind the last one. */
    async part(number: number): Promise<SitemapEntry[]> {
      const entries: SitemapEntry[] = [];
      let start: Parameters<typeof readListedRows>[1] = { offset: (number - 1) * partSize };
      for (let left = partSize; left > 0; left -= step) {
        const wanted = Math.min(step, left);
        const packs = await readListedRows(knex, start, wanted);
        entries.push(...packs.filter(isReachable).map(({ packKey, updatedAt }) => ({ packKey, updatedAt })));
        const last = packs.at(-1);
        if (packs.length < wanted || !last) break;
        start = { afterId: last.id };
      }
      return entries;
    },
  };
}
