import { describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { finding, isBlocking, whatsappLimits, whatsappRules } from './whatsapp-rules.ts';

const page = await readFile(path.join(import.meta.dirname, '../../../runbooks/whatsapp-rules.md'), 'utf8');

describe('the page of rules', () => {
  it('has exactly the rules of the code, in their order, with the same words', () => {
    const rows = [...page.matchAll(/^\| `([^`]+)` \| (.*) \|$/gm)].map(([, id = '', rest = '']) => [id, rest]);

    expect(rows.length).toBeGreaterThan(30);
    expect(rows).toEqual(
      Object.entries(whatsappRules).map(([id, { severity, mendedBy, asks, remedy }]) => [
        id,
        `${severity} | ${mendedBy} | ${asks} | ${remedy}`,
      ]),
    );
  });

  it('names ids in kebab case', () => {
    expect(Object.keys(whatsappRules).filter((id) => !/^[a-z]+(-[a-z]+)+$/.test(id))).toEqual([]);
  });

  it('says the figures that the code goes by', () => {
    const { maxStaticBytes, maxAnimatedBytes, maxTrayBytes } = whatsappLimits;
    for (const figure of [maxStaticBytes, maxAnimatedBytes, maxTrayBytes])
      expect(page).toContain(figure.toLocaleString('en'));
  });
});

describe('a finding', () => {
  it('blocks when it is an error that nobody mends', () => {
    expect(isBlocking(finding('pack-mixed', 'x'))).toBe(true);
    expect(isBlocking(finding('canvas-size', 'x'))).toBe(false);
    expect(isBlocking(finding('sticker-not-ready', 'x'))).toBe(false);
  });
});
