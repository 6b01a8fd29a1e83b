/** What a ranking adds up to: totals, and who makes the packs. Kept with the generation, so that it costs readers nothing. */
import type { RankableRow } from './rankable-row.ts';

/** The most that anybody may ask for. */
export const maxCreators = 200;

export type Creator = {
  publisher: string;
  score: number;
  packs: number;
  stickers: number;
  opens: number;
  likes: number;
  downloads: number;
  meanPackScore: number;
  /** The one with the best pack score. */
  topPackId: string;
};

export type MarketplaceSummary = {
  packs: number;
  stickers: number;
  opens: number;
  likes: number;
  downloads: number;
  creators: number;
  topCreators: Creator[];
};

/** The public name that a pack is grouped by with others. Null: packs of curation and packs without a publisher have no creator. */
export function creatorName(publisher: string, themeKey: string | null): string | null {
  const name = publisher.trim();
  return name === '' || themeKey !== null ? null : name;
}

export function summariseMarketplace(rows: RankableRow[]): MarketplaceSummary {
  const byPublisher = new Map<string, RankableRow[]>();
  for (const row of rows) {
    const publisher = creatorName(row.publisher, row.theme_key);
    if (publisher === null) continue;
    const known = byPublisher.get(publisher);
    if (known) known.push(row);
    else byPublisher.set(publisher, [row]);
  }
  const creators = [...byPublisher].map(([publisher, packs]) => creatorOf(publisher, packs));
  return {
    packs: rows.length,
    stickers: sum(rows, (row) => row.sticker_count),
    opens: sum(rows, (row) => row.open_count),
    likes: sum(rows, (row) => row.like_count),
    downloads: sum(rows, (row) => row.download_count),
    creators: creators.length,
    topCreators: creators
      .sort((a, b) => b.score - a.score || (a.publisher < b.publisher ? -1 : 1))
      .slice(0, maxCreators),
  };
}

/** `0.45 mean pack score + 0.0008 likes + 0.00015 opens`, from the predecessor's marketplace service (OmniZap 2.6, MIT). */
function creatorOf(publisher: string, packs: RankableRow[]): Creator {
  const meanPackScore = sum(packs, (row) => row.pack_score) / packs.length;
  const likes = sum(packs, (row) => row.like_count);
  const opens = sum(packs, (row) => row.open_count);
  const top = packs.reduce((best, row) => (row.pack_score > best.pack_score ? row : best));
  return {
    publisher,
    score: 0.45 * meanPackScore + 0.0008 * likes + 0.00015 * opens,
    packs: packs.length,
    stickers: sum(packs, (row) => row.sticker_count),
    opens,
    likes,
    downloads: sum(packs, (row) => row.download_count),
    meanPackScore,
    topPackId: top.pack_id,
  };
}

function sum(rows: RankableRow[], valueOf: (row: RankableRow) => number): number {
  return rows.reduce((total, row) => total + valueOf(row), 0);
}
