import { describe, expect, it } from '@jest/globals';
import { errorText } from './errors.ts';

describe('the text of an error', () => {
  it('is its stack with those of its causes', () => {
    const cause = new TypeError('the disk is full');
    const text = errorText(new Error('cannot write', { cause: new Error('cannot open', { cause }) }));

    expect(text.split('\n')[0]).toBe('Error: cannot write');
    expect(text.split('\n').filter((line) => line.startsWith('Caused by: '))).toEqual([
      'Caused by: Error: cannot open',
      'Caused by: TypeError: the disk is full',
    ]);
    expect(text).toMatch(/^ {4}at .*errors\.test\.ts/m);
  });

  it('is whatever was thrown', () => {
    expect(errorText('just words')).toBe('just words');
    expect(errorText({ toString: () => 'an object' })).toBe('an object');
    expect(errorText(null)).toBe('null');
  });

  it('fits into a table: bounded, without NUL, however causes refer to each other', () => {
    const error = new Error('a\0b');
    error.cause = error;

    expect(errorText('x'.repeat(1_000_000)).length).toBeLessThan(100_000);
    expect(errorText('a\0b')).toBe('ab');
    expect(errorText(error).match(/Error: ab/g)?.length).toBeGreaterThan(1);
    expect(errorText(error).length).toBeLessThan(100_000);
  });
});
