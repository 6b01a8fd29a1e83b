/**
 * Signed addresses of our own: whoever has one gets the sticker until it expires, without the key of its owner, from whom it comes.
 * So a CDN can fetch, and another site can show, what is not public.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { isReachable, opensBySignature, type PackView, type StickerView } from '@omnizap/catalog';
import { AppError } from '@omnizap/runtime';
import { partSecondsOf } from './signed-addresses.ts';

/** Hosts need not agree on the second: what one has signed a moment ago must hold at the other. */
const clockToleranceSeconds = 60;
const signatureShape = /^[A-Za-z0-9_-]{43}$/;
const expiresShape = /^[1-9]\d{9,10}$/;

export type AssetVariant = 'sticker' | 'preview';
/** What the signature is of; the content's hash is not part of it, a sticker has the same one for ever. */
export type SignedAsset = { packKey: string; stickerId: string; variant: AssetVariant };
/** As they came: absent, or not what a signature looks like. */
export type GivenSignature = { expires: string | undefined; signature: string | undefined };
/** Parameters to append to the address; null where the address needs none, or is not to be opened by any. */
export type SignSticker = (
  sticker: Pick<StickerView, 'stickerId' | 'moderation'>,
  variant: AssetVariant,
) => string | null;

export type SignedPaths = ReturnType<typeof createSignedPaths>;

/** `secrets`: the first signs, each of them verifies; none = nothing is signed, and no signature holds. */
export function createSignedPaths({ secrets, ttlSeconds }: { secrets: readonly string[]; ttlSeconds: number }) {
  const [current] = secrets;
  // They repeat as those of the bucket do.
  const partSeconds = partSecondsOf(ttlSeconds);

  function sign(asset: SignedAsset, now = Date.now()): string | null {
    if (current === undefined) return null;
    const nowSeconds = Math.floor(now / 1_000);
    const expires = String(nowSeconds - (nowSeconds % partSeconds) + ttlSeconds);
    return `expires=${expires}&signature=${digestOf(current, asset, expires).toString('base64url')}`;
  }

  function isOurs(asset: SignedAsset, expires: string, signature: string): boolean {
    if (!signatureShape.test(signature)) return false;
    const given = Buffer.from(signature, 'base64url');
    // Its last character has room for three other spellings: one address, one cached answer.
    if (given.toString('base64url') !== signature) return false;
    // All of them: how long it takes must not say which secret it was.
    return secrets.filter((secret) => timingSafeEqual(digestOf(secret, asset, expires), given)).length > 0;
  }

  return {
    sign,

    /** How the stickers of a pack are signed in an answer to its owner. */
    signerOf(pack: PackView['pack']): SignSticker {
      return (sticker, variant) =>
        isReachable(pack) || !opensBySignature(pack, sticker.moderation)
          ? null
          : sign({ packKey: pack.packKey, stickerId: sticker.stickerId, variant });
    },

    /**
     * For how many more seconds the signature holds.
     * @throws AppError `signed-url-invalid`; what exactly is wrong with it would only help whoever tries some
     */
    verify(asset: SignedAsset, { expires = '', signature = '' }: GivenSignature, now = Date.now()): number {
      const leftSeconds = Math.floor(Number(expires) - now / 1_000);
      const isSigned =
        expiresShape.test(expires) &&
        leftSeconds <= ttlSeconds + clockToleranceSeconds &&
        isOurs(asset, expires, signature);
      if (!isSigned)
        throw new AppError('signed-url-invalid', 'This signed address is not valid: ask whoever gave it to you again.');
      if (leftSeconds < 0)
        throw new AppError('signed-url-invalid', 'This signed address has expired: ask whoever gave it to you again.');
      return leftSeconds;
    },
  };
}

/** None of the parts can have a line break in it. */
function digestOf(secret: string, { packKey, stickerId, variant }: SignedAsset, expires: string): Buffer {
  const text = ['omnizap-sticker-v1', packKey, stickerId, variant, expires].join('\n');
  return createHmac('sha256', secret).update(text).digest();
}
