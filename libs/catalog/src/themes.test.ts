import { describe, expect, it } from '@jest/globals';
import { isCuratedTheme, themeKeyOf, themeTitle } from './themes.ts';

describe('themes', () => {
  it('keep animations apart from stills', () => {
    expect([themeKeyOf('love', false), themeKeyOf('love', true)]).toEqual(['love', 'love:animated']);
  });

  it('are not made of what nobody could name', () => {
    expect(['love', 'love:animated', 'other', 'other:animated', 'another'].map(isCuratedTheme)).toEqual([
      true,
      true,
      false,
      false,
      true,
    ]);
  });

  it.each([
    ['love', 1, 'Love'],
    ['love:animated', 2, 'Love in motion · Vol. 2'],
    ['food-and-drink', 10, 'Food and drink · Vol. 10'],
  ])('are called for people: %s, volume %d is "%s"', (key, volume, title) => {
    expect(themeTitle(key, volume)).toBe(title);
  });
});
