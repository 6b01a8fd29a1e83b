/** Which packs collect by themselves what their owner makes, what they are called, and which packs never do. Pure. */

/** What a collector pack says of itself. Packs of earlier systems have the text, the marker or only the name. */
const collectorText = 'Coleção automática de figurinhas criadas pelo usuário.';
const collectorMarker = '[auto-pack:collector]';
export const collectorDescription = `${collectorText} ${collectorMarker}`;
/** Publisher of a pack whose first sticker came without a sender's name. */
export const collectorPublisher = 'OmniZap';

const themeMarkers = ['[auto-theme:', '[auto-tag:'];
const themeName = '[auto]';
/** More digits are somebody's own name for a pack, not a number that was counted up. */
const maxNumberDigits = 9;

type Described = { name: string; description: string; isAutoPack: boolean; themeKey: string | null };

export type PackRole =
  /** Its owner fills it by hand: where a new sticker goes first. */
  | 'own'
  | 'collector'
  /** Curation's, of whatever system: never a place for somebody's sticker. */
  | 'theme';

export function roleOf(pack: Described, baseName: string): PackRole {
  const description = fold(pack.description);
  const isTheme =
    (pack.themeKey ?? '') !== '' ||
    themeMarkers.some((marker) => description.includes(marker)) ||
    fold(pack.name).trimStart().startsWith(themeName);
  if (isTheme) return 'theme';
  const isCollector =
    pack.isAutoPack ||
    description.includes(collectorMarker) ||
    description.includes(fold(collectorText)) ||
    numberOf(pack.name, baseName) !== null;
  return isCollector ? 'collector' : 'own';
}

/** 7 for `pack7`, whatever its case; null when the name is not one of the row. */
function numberOf(name: string, baseName: string): number | null {
  const [folded, base] = [fold(name).trim(), fold(baseName)];
  const digits = folded.startsWith(base) ? folded.slice(base.length) : '';
  return /^\d+$/.test(digits) && digits.length <= maxNumberDigits ? Number(digits) : null;
}

/** `<base name><N>`, N being one more than any that is in use, at least 1. */
export function nextCollectorName(names: string[], baseName: string): string {
  const highest = names.reduce((most, name) => Math.max(most, numberOf(name, baseName) ?? 0), 0);
  return `${baseName}${highest + 1}`;
}

function fold(text: string): string {
  return text.normalize('NFC').toLowerCase();
}

/** A description without what would make a copy of the pack something that it is not. */
export function withoutMarkers(description: string): string {
  return description
    .replaceAll(/\[auto-(?:pack|theme|tag):[^\]]*\]?/gi, '')
    .replace(collectorText, '')
    .trim();
}
