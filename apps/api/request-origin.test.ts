import { describe, expect, it } from '@jest/globals';
import type { Request } from 'express';
import { isFromOtherOrigin } from './request-origin.ts';

function requestWith(method: string, headers: Record<string, string>): Request {
  return { method, get: (name: string) => headers[name] } as unknown as Request;
}

describe('isFromOtherOrigin', () => {
  it.each([
    ['GET', { 'sec-fetch-site': 'same-origin' }, false],
    ['POST', { 'sec-fetch-site': 'same-origin' }, false],
    ['GET', { 'sec-fetch-site': 'none' }, false],
    ['POST', { 'sec-fetch-site': 'none' }, true],
    ['GET', { 'sec-fetch-site': 'same-site' }, true],
    ['GET', { 'sec-fetch-site': 'cross-site' }, true],
    // The browser's word counts for more than a header that scripts of old browsers may set.
    ['POST', { 'sec-fetch-site': 'cross-site', origin: 'https://here.example', host: 'here.example' }, true],
    ['POST', { origin: 'https://here.example', host: 'here.example' }, false],
    ['POST', { origin: 'http://HERE.example:8080', host: 'here.example:8080' }, false],
    ['POST', { origin: 'https://here.example', host: 'here.example:8080' }, true],
    ['POST', { origin: 'https://there.example', host: 'here.example' }, true],
    ['POST', { origin: 'null', host: 'here.example' }, true],
    ['POST', { host: 'here.example' }, false],
  ] as const)('%s with %o: %s', (method, headers, expected) => {
    expect(isFromOtherOrigin(requestWith(method, headers))).toBe(expected);
  });
});
