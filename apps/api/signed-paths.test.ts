import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isAppError } from '@omnizap/runtime';
import { createSignedPaths, type SignedAsset } from './signed-paths.ts';

const secret = '0123456789abcdef0123456789abcdef';
const other = 'fedcba9876543210fedcba9876543210';
const asset: SignedAsset = {
  packKey: 'happy-cats-1a2b3c',
  stickerId: '01890a5d-ac96-774b-bcce-b302099a8057',
  variant: 'sticker',
};
/**
 * printf 'omnizap-sticker-v1\nhappy-cats-1a2b3c\n01890a5d-ac96-774b-bcce-b302099a8057\nsticker\n1767225600' |
 * openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef -binary | basenc --base64url
 */
const known = { expires: '1767225600', signature: 'BVWdNCjEbQXn9vQVSDRHWdQHev20sBmqsX5v3o08W4g' };
/** 300 s, of which 100 go by before the address changes. */
const ttlSeconds = 300;
const signedAtMs = (1_767_225_600 - ttlSeconds) * 1_000;

const paths = createSignedPaths({ secrets: [secret], ttlSeconds });

/** What a client is told, or how long the signature holds. */
function outcome(work: () => number): number | string {
  try {
    return work();
  } catch (error) {
    if (isAppError(error, 'signed-url-invalid')) return error.message;
    throw error;
  }
}
const notValid = expect.stringMatching(/^This signed address is not valid/);
const expired = expect.stringMatching(/^This signed address has expired/);

function partsOf(parameters: string | null): { expires: string; signature: string } {
  const query = new URLSearchParams(parameters ?? '');
  return { expires: query.get('expires') ?? '', signature: query.get('signature') ?? '' };
}

describe('signed paths', () => {
  it('are signed as openssl signs the same text', () => {
    expect(paths.sign(asset, signedAtMs)).toBe(`expires=${known.expires}&signature=${known.signature}`);
    expect(paths.verify(asset, known, signedAtMs)).toBe(ttlSeconds);
  });

  it('repeat for a third of their life and have two thirds left then', () => {
    const first = paths.sign(asset, signedAtMs);
    expect(paths.sign(asset, signedAtMs + 99_999)).toBe(first);
    expect(paths.verify(asset, partsOf(first), signedAtMs + 99_999)).toBe(200);
    expect(paths.sign(asset, signedAtMs + 100_000)).not.toBe(first);
  });

  it('hold to the second that they name', () => {
    expect(outcome(() => paths.verify(asset, known, 1_767_225_600_000))).toBe(0);
    expect(outcome(() => paths.verify(asset, known, 1_767_225_600_001))).toEqual(expired);
  });

  it.each([
    ['another pack', { ...asset, packKey: 'happy-cats-1a2b3d' }],
    ['another sticker', { ...asset, stickerId: '01890a5d-ac96-774b-bcce-b302099a8058' }],
    ['the other variant', { ...asset, variant: 'preview' as const }],
  ])('do not open %s', (_what, wrong) => {
    expect(outcome(() => paths.verify(wrong, known, signedAtMs))).toEqual(notValid);
  });

  it.each([
    ['a later end', { expires: '1767225601' }],
    ['an earlier end', { expires: '1767225599' }],
    ['an end written otherwise', { expires: '01767225600' }],
    ['an end with a fraction', { expires: '1767225600.0' }],
    ['an end beyond all time', { expires: '9'.repeat(400) }],
    ['a negative end', { expires: '-1767225600' }],
    ['no end', { expires: undefined }],
    ['an empty end', { expires: '' }],
    ['no signature', { signature: undefined }],
    ['an empty signature', { signature: '' }],
    ['a shorter signature', { signature: known.signature.slice(0, -1) }],
    ['a longer signature', { signature: `${known.signature}A` }],
    ['a padded signature', { signature: `${known.signature}=` }],
    ['another spelling of the same digest', { signature: `${known.signature.slice(0, -1)}h` }],
    ['a signature in hex', { signature: Buffer.from(known.signature, 'base64url').toString('hex') }],
    ['letters of four bytes', { signature: '😀'.repeat(43) }],
  ])('do not hold with %s', (_what, wrong) => {
    expect(Buffer.from(`${known.signature.slice(0, -1)}h`, 'base64url')).toEqual(
      Buffer.from(known.signature, 'base64url'),
    );
    expect(outcome(() => paths.verify(asset, { ...known, ...wrong }, signedAtMs))).toEqual(notValid);
  });

  it('do not hold with any character of the signature changed', () => {
    fc.assert(
      fc.property(fc.nat(42), fc.constantFrom(...'ABCXYZabcxyz0189-_'), (at, character) => {
        fc.pre(known.signature[at] !== character);
        const signature = known.signature.slice(0, at) + character + known.signature.slice(at + 1);
        expect(outcome(() => paths.verify(asset, { ...known, signature }, signedAtMs))).toEqual(notValid);
      }),
    );
  });

  it('are refused when they hold for longer than any is given out for, a minute of different clocks aside', () => {
    const generous = createSignedPaths({ secrets: [secret], ttlSeconds: 900 });
    const long = partsOf(generous.sign(asset, signedAtMs));
    expect(outcome(() => paths.verify(asset, long, signedAtMs))).toEqual(notValid);
    expect(outcome(() => paths.verify(asset, known, signedAtMs - 60_000))).toBe(360);
    expect(outcome(() => paths.verify(asset, known, signedAtMs - 62_000))).toEqual(notValid);
  });

  it('are signed by the first secret and hold by each, until it is taken away', () => {
    const rotating = createSignedPaths({ secrets: [other, secret], ttlSeconds });
    const fresh = partsOf(rotating.sign(asset, signedAtMs));

    expect(fresh.signature).not.toBe(known.signature);
    expect(rotating.verify(asset, fresh, signedAtMs)).toBe(ttlSeconds);
    expect(rotating.verify(asset, known, signedAtMs)).toBe(ttlSeconds);
    expect(outcome(() => paths.verify(asset, fresh, signedAtMs))).toEqual(notValid);
  });

  it('are none without a secret', () => {
    const none = createSignedPaths({ secrets: [], ttlSeconds });
    expect(none.sign(asset)).toBeNull();
    expect(outcome(() => none.verify(asset, known, signedAtMs))).toEqual(notValid);
  });

  it('say nothing else of why they do not hold', () => {
    const said = new Set(
      [
        { ...known, expires: '1767225601' },
        { ...known, signature: 'x' },
        { expires: undefined, signature: undefined },
      ]
        .map((given) => outcome(() => paths.verify(asset, given, signedAtMs)))
        .map(String),
    );
    expect(said.size).toBe(1);
  });
});
