/** Predicts what WhatsApp says to a pack as a whole, and what Telegram and Signal say to it as a static set. */

import { identifierProblem } from './pack-identifier.ts';
import { validateStickerWords } from './validate-sticker.ts';
import { about, finding, otherLimits, whatsappLimits, type Finding } from './whatsapp-rules.ts';

export type PackFacts = {
  identifier: string;
  name: string;
  publisher: string;
  stickers: {
    /** A file's name or a sticker's id. */
    subject: string;
    isAnimated: boolean;
    emojis: string[];
    accessibilityText: string | null;
  }[];
};

/** Judges a pack of stickers whose files are judged by `validateSticker`. */
export function validatePack(pack: PackFacts): Finding[] {
  const { minStickers, maxStickers } = whatsappLimits;
  const { stickers } = pack;
  const findings: Finding[] = [];
  const identifier = identifierProblem(pack.identifier);
  if (identifier !== null) findings.push(finding('pack-identifier', `The identifier ${identifier}.`));
  findings.push(...validateText('pack-name', 'name', pack.name));
  findings.push(...validateText('pack-publisher', 'publisher', pack.publisher));
  if (stickers.length < minStickers)
    findings.push(finding('pack-stickers-min', `The pack has ${stickers.length} stickers.`));
  if (stickers.length > maxStickers)
    findings.push(finding('pack-stickers-max', `The pack has ${stickers.length} stickers.`));
  const animated = stickers.filter((sticker) => sticker.isAnimated).length;
  if (animated > 0 && animated < stickers.length)
    findings.push(
      finding('pack-mixed', `${animated} of its ${stickers.length} stickers are animated, the others are still.`),
    );
  return [...findings, ...stickers.flatMap((sticker) => about(sticker.subject, validateStickerWords(sticker)))];
}

/** What keeps a pack from being a static set of that kind. `sizeBytes` is that of the file in the set. */
export function validateStaticSet(
  target: 'telegram' | 'signal',
  stickers: { subject: string; isAnimated: boolean; sizeBytes: number }[],
): Finding[] {
  const { maxStickers, maxBytes } = otherLimits[target];
  const findings: Finding[] = [];
  if (stickers.length === 0 || stickers.length > maxStickers)
    findings.push(finding(`${target}-stickers`, `The pack has ${stickers.length} stickers.`));
  for (const { subject, isAnimated, sizeBytes } of stickers) {
    if (isAnimated) findings.push(finding(`${target}-animated`, 'The sticker is animated.', subject));
    else if (sizeBytes > maxBytes)
      findings.push(finding(`${target}-bytes`, `The file has ${sizeBytes} bytes.`, subject));
  }
  return findings;
}

function validateText(rule: 'pack-name' | 'pack-publisher', what: string, text: string): Finding[] {
  const { maxTextLength } = whatsappLimits;
  if (text.trim() === '') return [finding(rule, `The pack has no ${what}.`)];
  return text.length > maxTextLength ? [finding(rule, `The ${what} has ${text.length} characters.`)] : [];
}
