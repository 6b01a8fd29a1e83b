import { describe, expect, it } from '@jest/globals';
import type { IncomingMessage } from 'node:http';
import { bearerToken, isFromLoopback, isSameSecret, matchesToken } from './access.ts';

const request = (remoteAddress: string | undefined, headers: Record<string, string> = {}): IncomingMessage =>
  ({ headers, socket: { remoteAddress } }) as unknown as IncomingMessage;

describe('bearerToken', () => {
  it.each([
    ['Bearer abc', 'abc'],
    ['bearer a.b-c_d', 'a.b-c_d'],
    ['Bearer', undefined],
    ['Bearer two words', undefined],
    ['Basic abc', undefined],
    [`Bearer ${'x'.repeat(513)}`, undefined],
    ['Bearer tab\tinside', undefined],
    [undefined, undefined],
  ])('finds in %j the token %j', (header, token) => {
    expect(bearerToken(header)).toBe(token);
  });
});

describe('matchesToken', () => {
  const expected = '0123456789abcdef';

  it('accepts the token itself and nothing shorter, longer, differently cased or absent', () => {
    const answers = [expected, expected.slice(1), `${expected}0`, expected.toUpperCase(), '']
      .map((token) => `Bearer ${token}`)
      .map((header) => matchesToken(header, expected));

    expect(answers).toEqual([true, false, false, false, false]);
    expect(matchesToken(undefined, expected)).toBe(false);
    expect(matchesToken(expected, expected)).toBe(false);
  });

  it('compares values of different lengths without throwing', () => {
    expect(isSameSecret('a', 'a much longer value')).toBe(false);
    expect(isSameSecret('🔑', '🔑')).toBe(true);
  });
});

describe('isFromLoopback', () => {
  it.each([
    ['127.0.0.1', true],
    ['127.8.8.8', true],
    ['::1', true],
    ['::ffff:127.0.0.1', true],
    ['10.0.0.1', false],
    ['::ffff:10.0.0.1', false],
    ['fe80::1', false],
    [undefined, false],
  ])('takes the socket address %s for the loopback: %s', (address, isLoopback) => {
    expect(isFromLoopback(request(address))).toBe(isLoopback);
  });

  it('never takes a forwarded request for one, whatever its header claims', () => {
    expect(isFromLoopback(request('127.0.0.1', { 'x-forwarded-for': '127.0.0.1' }))).toBe(false);
    expect(isFromLoopback(request('127.0.0.1', { forwarded: 'for=127.0.0.1' }))).toBe(false);
    expect(isFromLoopback(request('127.0.0.1', { 'x-real-ip': '127.0.0.1' }))).toBe(false);
    expect(isFromLoopback(request('127.0.0.1', { via: '1.1 proxy' }))).toBe(false);
    expect(isFromLoopback(request('10.0.0.1', { 'x-forwarded-for': '127.0.0.1' }))).toBe(false);
  });
});
