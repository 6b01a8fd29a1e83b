import { describe, expect, it } from '@jest/globals';
import { opensBySignature } from './pack-store.ts';
import { moderationStates } from './moderation-state.ts';

describe('opensBySignature', () => {
  it('opens what nobody has decided against: packs that are approved or wait, with stickers that are approved', () => {
    const opened = moderationStates.flatMap((pack) =>
      moderationStates
        .filter((sticker) => opensBySignature({ moderation: pack }, sticker))
        .map((sticker) => `${pack} ${sticker}`),
    );
    expect(opened.toSorted()).toEqual(['approved approved', 'held approved']);
  });
});
