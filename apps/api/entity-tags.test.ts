import { describe, expect, it } from '@jest/globals';
import { matchesEtag } from './entity-tags.ts';

describe('If-None-Match', () => {
  it.each([
    ['"a"', true],
    ['W/"a"', true],
    ['*', true],
    [' * ', true],
    ['"b", W/"a"', true],
    ['"with, comma", "a"', true],
    ['"b"', false],
    ['a', false],
    ['"a', false],
    ['', false],
    [undefined, false],
  ])('%j of a client matches "a": %j', (header, isMatch) => {
    expect(matchesEtag(header, '"a"')).toBe(isMatch);
  });
});
