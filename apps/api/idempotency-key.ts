/** The header `Idempotency-Key`: a string of RFC 9651, or a bare token, which is what most clients send. */
import { AppError } from '@omnizap/runtime';

const maxKeyLength = 128;
const quoted = /^"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;
const token = /^[\w!#$%&'*+\-./:=^`|~]+$/;

/** Undefined: there is none. `"abc"` and `abc` are the same key. @throws AppError `invalid-parameter` */
export function parseIdempotencyKey(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const written = header.trim();
  const key = quoted.exec(written)?.[1]?.replaceAll(/\\(["\\])/g, '$1') ?? token.exec(written)?.[0] ?? '';
  if (key.length >= 1 && key.length <= maxKeyLength) return key;
  const detail = `must be a string such as "8e03978e-40d5-43dd-bc93-6894a57f9324" of at most ${maxKeyLength} visible ASCII characters`;
  throw new AppError('invalid-parameter', `The header Idempotency-Key ${detail}.`, {
    fields: [{ pointer: 'Idempotency-Key', detail }],
  });
}
