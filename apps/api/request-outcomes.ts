/** What transactions of requests return, as it comes back from JSON: an answer that was lost is made again from it. */
import { z } from 'zod';

/** Of those that make a pack: the pack's view. */
export const packOutcome = z.object({ pack: z.object({ packKey: z.string() }) });

/** Of those that take a sticker in. */
export const stickerOutcome = z.object({
  stickerId: z.string(),
  sha256: z.string(),
  status: z.enum(['pending', 'ready', 'rejected']),
  isNew: z.boolean(),
});

export const collectedOutcome = stickerOutcome.extend({ packKey: z.string(), packName: z.string() });

/** Of a change to a pack whose answer is a sticker. */
export const replacedOutcome = z.object({ answered: stickerOutcome });
