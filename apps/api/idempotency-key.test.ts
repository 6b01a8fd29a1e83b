import { describe, expect, it } from '@jest/globals';
import { parseIdempotencyKey } from './idempotency-key.ts';

describe('Idempotency-Key', () => {
  it.each([
    ['"8e03978e-40d5-43dd-bc93-6894a57f9324"', '8e03978e-40d5-43dd-bc93-6894a57f9324'],
    ['8e03978e-40d5-43dd-bc93-6894a57f9324', '8e03978e-40d5-43dd-bc93-6894a57f9324'],
    ['"a \\"b\\" \\\\c"', 'a "b" \\c'],
    [' "a b" ', 'a b'],
    ['x'.repeat(128), 'x'.repeat(128)],
  ])('%s is the key %s', (header, key) => {
    expect(parseIdempotencyKey(header)).toBe(key);
  });

  it('may be absent', () => {
    expect(parseIdempotencyKey(undefined)).toBeUndefined();
  });

  it.each(['', '""', '"a', 'a"', '"a"b"', '"a\\b"', 'a b', 'ä', '"\t"', `"${'x'.repeat(129)}"`, '"a", "b"'])(
    '%j is refused',
    (header) => {
      expect(() => parseIdempotencyKey(header)).toThrow('Idempotency-Key');
    },
  );
});
