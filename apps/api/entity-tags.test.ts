import { describe, expect, it } from '@jest/globals';
import type { Request } from 'express';
import { expectedVersionOf, matchesEtag, packEtag } from './entity-tags.ts';

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

describe('If-Match on a pack', () => {
  const request = (header?: string): Request => ({ get: () => header }) as unknown as Request;

  it('takes back what an owner’s answer said', () => {
    expect(expectedVersionOf(request(packEtag({ version: 12 })))).toBe(12);
  });

  it.each([[undefined], ['*']])('expects nothing when it is %j', (header) => {
    expect(expectedVersionOf(request(header))).toBeUndefined();
  });

  // Comparison is strong here, and a tag that no pack can have must not let everything pass.
  it.each([['W/"v12"'], ['"abc"'], ['v12'], [''], ['"v1"x']])('matches no pack when it is %j', (header) => {
    expect(expectedVersionOf(request(header))).toBe(-1);
  });

  it('is refused when it names several', () => {
    expect(() => expectedVersionOf(request('"v1", "v2"'))).toThrow('several versions');
  });
});
