/** How sensitive a pack is: as its most sensitive sticker; `safe` only when every sticker is known to be. */
export const nsfwLevels = ['safe', 'unknown', 'suggestive', 'explicit'] as const;
export type NsfwLevel = (typeof nsfwLevels)[number];

export function worstNsfwLevel(levels: NsfwLevel[]): NsfwLevel {
  if (levels.length === 0) return 'unknown';
  return nsfwLevels[Math.max(...levels.map((level) => nsfwLevels.indexOf(level)))] ?? 'unknown';
}
