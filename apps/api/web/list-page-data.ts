/** The packs of one page of the gallery. The only place where pages read lists. */
import type { z } from 'zod';
import type { CatalogueReader, PackSignals, PackView } from '@omnizap/catalog';
import { packJson } from '../pack-json.ts';
import type { RankingSource } from '../ranking-source.ts';
import type { packSummary } from '../schemas.ts';

export type PackSummary = z.output<typeof packSummary>;
export type ListQuery = {
  sort: Parameters<CatalogueReader['locatePage']>[0]['sort'];
  limit: number;
  cursor?: string | undefined;
  q?: string | undefined;
  categories: string[];
  includeSensitive: boolean;
  creator?: string | undefined;
};
export type ListPage = {
  /** Equal as long as the page holds. */
  stamp: string;
  read: () => Promise<{ packs: PackSummary[]; nextCursor: string | null }>;
};

type Deps = { reader: CatalogueReader; sourceFor: RankingSource };

/** @throws AppError `invalid-cursor`, `snapshot-expired` */
export async function readListPage(deps: Deps, query: ListQuery, viewer: string): Promise<ListPage> {
  const { reader } = deps;
  const { sort, limit, cursor, q, categories, includeSensitive, creator } = query;
  const located = await reader.locatePage({
    ...{ sort, limit, cursor, source: deps.sourceFor(viewer) },
    filters: { query: q, categories, includeSensitive, creator },
  });
  return {
    stamp: `${located.place}:${await reader.stampOf(located)}`,
    async read() {
      const { packs, nextCursor } = await reader.readPage(located);
      return { packs: packs.map(summaryOf), nextCursor };
    },
  };
}

function summaryOf(view: PackView & { signals: PackSignals }): PackSummary {
  return packJson(view, { countAll: false });
}
