import { describe, expect, it } from '@jest/globals';
import { createPackKey } from './pack-key.ts';

describe('createPackKey', () => {
  it.each([
    ['Gatos engraçados', 'gatos-engracados'],
    ['  Ünïcødé -- & more!  ', 'unic-de-more'],
    ['🎉🎉🎉', 'pack'],
    ['', 'pack'],
    ['ひらがな', 'pack'],
    ['ﬁne ①', 'fine-1'],
    ['../../etc/passwd?x=1#y', 'etc-passwd-x-1-y'],
    ['x'.repeat(100), 'x'.repeat(32)],
    [`${'x'.repeat(31)} and more`, 'x'.repeat(31)],
  ])('makes of %j a readable address that begins with %s', (name, slug) => {
    expect(createPackKey(name)).toMatch(new RegExp(`^${slug}-[0-9a-z]{6}$`));
  });

  it('does not repeat itself', () => {
    const keys = new Set(Array.from({ length: 2_000 }, () => createPackKey('the same name')));

    expect(keys.size).toBe(2_000);
  });
});
