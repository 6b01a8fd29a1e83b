/** What WhatsApp would say to a pack of the catalogue: the same judgement on publishing, in rankings and before a download. */
import { finding, validatePack, type Finding, type PackFacts } from '@omnizap/imaging';
import type { StickerView } from './catalogue-store.ts';

/** WhatsApp insists on a publisher; a pack of the catalogue may do without. */
const nobodysPublisher = 'OmniZap';

type Words = { packKey: string; name: string; publisher: string };
type Sticker = Pick<StickerView, 'stickerId' | 'isAnimated' | 'emojis' | 'accessibilityLabel'>;

export function fittingPublisher(publisher: string): string {
  return publisher.trim() === '' ? nobodysPublisher : publisher;
}

export function factsOfPack(pack: Words, stickers: Sticker[]): PackFacts {
  return {
    identifier: pack.packKey,
    name: pack.name,
    publisher: pack.publisher,
    stickers: stickers.map(({ stickerId, isAnimated, emojis, accessibilityLabel }) => ({
      subject: stickerId,
      isAnimated,
      emojis,
      accessibilityText: accessibilityLabel,
    })),
  };
}

/** Judges a pack as it is now. What is still being made ready is taken to succeed; what was rejected does not count. */
export function findingsOfPack(pack: Words, stickers: StickerView[]): Finding[] {
  const unready = stickers.filter(({ status }) => status !== 'ready');
  const expected = stickers.filter(({ status }) => status !== 'rejected');
  return [
    ...validatePack(factsOfPack(pack, expected)),
    ...unready.map(({ stickerId, status }) =>
      finding(
        'sticker-not-ready',
        status === 'rejected' ? 'The sticker was rejected.' : 'The sticker is still being made ready.',
        stickerId,
      ),
    ),
  ];
}
