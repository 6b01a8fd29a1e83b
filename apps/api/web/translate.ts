/** Words of the pages in the visitor's language. */
import type { Language } from './languages.ts';
import { messages, type MessageKey } from './messages.ts';

export type { MessageKey } from './messages.ts';
export type Translate = {
  (key: MessageKey, values?: Record<string, string | number>): string;
  /** By the plural rules of the language; the message is `one|other`, and `{count}` is the number, grouped as people write it. */
  count: (key: MessageKey, count: number) => string;
  number: (value: number) => string;
};

export function createTranslate(language: Language): Translate {
  const numbers = new Intl.NumberFormat(language);
  const compact = new Intl.NumberFormat(language, { notation: 'compact', maximumFractionDigits: 1 });
  const plurals = new Intl.PluralRules(language);
  const translate = (key: MessageKey, values: Record<string, string | number> = {}): string =>
    fill(messages[key][language], values);
  const number = (value: number): string => (value < 10_000 ? numbers : compact).format(value);
  return Object.assign(translate, {
    number,
    count(key: MessageKey, count: number): string {
      const [one = '', other = one] = messages[key][language].split('|');
      return fill(plurals.select(count) === 'one' ? one : other, { count: number(count) });
    },
  });
}

function fill(text: string, values: Record<string, string | number>): string {
  return text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
