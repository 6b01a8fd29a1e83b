/**
 * Themes group stickers for the automatic packs. A theme is a category, apart for animations: WhatsApp takes a pack only when all
 * of its stickers are still or all are animated.
 */

const animatedSuffix = ':animated';

export function themeKeyOf(category: string, isAnimated: boolean): string {
  return isAnimated ? `${category}${animatedSuffix}` : category;
}

/** What nobody could name makes no theme. */
export function isCuratedTheme(themeKey: string): boolean {
  return themeKey !== 'other' && themeKey !== `other${animatedSuffix}`;
}

/** For people: `love:animated`, volume 2 -> `Love in motion · Vol. 2`. */
export function themeTitle(themeKey: string, volume: number): string {
  const isAnimated = themeKey.endsWith(animatedSuffix);
  const words = (isAnimated ? themeKey.slice(0, -animatedSuffix.length) : themeKey).split('-').join(' ');
  const title = words.charAt(0).toUpperCase() + words.slice(1) + (isAnimated ? ' in motion' : '');
  return volume === 1 ? title : `${title} · Vol. ${volume}`;
}
