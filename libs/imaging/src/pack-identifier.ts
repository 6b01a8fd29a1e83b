/** What WhatsApp lets an identifier of a pack be made of: `[\w\-.,'\s]+` in Java, whose classes are those of ASCII. */

import { whatsappLimits } from './whatsapp-rules.ts';

const identifierPattern = /^[A-Za-z0-9_\-.,' \t\n\v\f\r]+$/;

/** What is wrong with it, as the rest of a sentence about it; null when nothing is. */
export function identifierProblem(identifier: string): string | null {
  const { maxTextLength } = whatsappLimits;
  if (identifier === '') return 'is empty';
  if (identifier.length > maxTextLength) return `has ${identifier.length} characters, at most ${maxTextLength} fit`;
  if (!identifierPattern.test(identifier)) return "holds other characters than A-Z a-z 0-9 _ - . , ' and blanks";
  return identifier.includes('..') ? 'holds ".."' : null;
}
