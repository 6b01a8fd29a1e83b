import type { NsfwLevel } from './nsfw-level.ts';

/** One listed pack with all that a ranking is made of. */
export type RankableRow = {
  pack_id: string;
  pack_score: number;
  cohesion_score: number;
  updated_at: Date;
  open_count: number;
  like_count: number;
  dislike_count: number;
  download_count: number;
  opens_day: number;
  opens_week: number;
  trend_at: Date;
  nsfw_level: NsfwLevel;
  is_animated: number;
  categories: string[];
  sticker_count: number;
  publisher: string;
  theme_key: string | null;
};
