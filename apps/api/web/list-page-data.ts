/** The packs of one page of the gallery. The only place where pages read lists. */
import type { z } from 'zod';
import type { CatalogueReader, PackSignals, PackView } from '@omnizap/catalog';
import { packJson } from '../pack-json.ts';
import type { packSummary } from '../schemas.ts';

export type PackSummary = z.output<typeof packSummary>;
export type ListQuery = {
  sort: Parameters<CatalogueReader['locatePage']>[0]['sort'];
  limit: number;
  cursor?: string | undefined;
  q?: string | undefined;
  categories: string[];
  includeSensitive: boolean;
};
export type ListPage = {
  /** Equal as long as the page holds. */
  stamp: string;
  read: () => Promise<{ packs: PackSummary[]; nextCursor: string | null }>;
};

type Deps = { reader: CatalogueReader; sourceFor: (viewer: string) => 'snapshot' | 'live' };

/** @throws AppError `invalid-cursor`, `snapshot-expired` */
export async function readListPage(deps: Deps, query: ListQuery, viewer: string): Promise<ListPage> {
  const { reader } = deps;
  const { sort, limit, cursor, q, categories, includeSensitive } = query;
  const located = await reader.locatePage({
    ...{ sort, limit, cursor, source: deps.sourceFor(viewer) },
    filters: { query: q, categories, includeSensitive },
  });
  const { source, generation, position, at, ids, filterDigest, next } = located;
  // A generation never changes; of a live list, its date and its order do, and what a query finds does anywhere.
  const order =
    source === 'live' || q !== undefined ? `${at?.getTime() ?? 0}:${ids.join()}:${next?.position ?? ''}` : '';
  return {
    stamp: `${source}:${generation?.generation ?? 0}:${filterDigest}:${position}:${await reader.stamps(ids)}:${order}`,
    async read() {
      const { packs, nextCursor } = await reader.readPage(located);
      return { packs: packs.map(summaryOf), nextCursor };
    },
  };
}

function summaryOf(view: PackView & { signals: PackSignals }): PackSummary {
  return packJson(view, { countAll: false });
}
