/** The languages of the pages, and which of them a visitor gets. */
import type { Request } from 'express';
import Negotiator from 'negotiator';

/** As BCP 47 tags; the first is for whoever accepts none of them. */
export const languages = ['en', 'pt-BR'] as const;
export type Language = (typeof languages)[number];

/** By Accept-Language. Any Portuguese is Portuguese: `pt`, `pt-PT` and `pt-BR` get `pt-BR`. */
export function languageOf(request: Request): Language {
  const wanted = new Negotiator(request).languages();
  for (const tag of wanted) {
    const found = languages.find((language) => primaryOf(language) === primaryOf(tag));
    if (found) return found;
  }
  return languages[0];
}

function primaryOf(tag: string): string {
  return tag.toLowerCase().split('-')[0] ?? '';
}
