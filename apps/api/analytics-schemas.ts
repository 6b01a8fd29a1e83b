/** Schemas of what owners are told about their packs. */
import { z } from 'zod';
import { wholeNumber } from './whole-number.ts';

const counts = { open: z.int(), like: z.int(), dislike: z.int(), download: z.int() };

export const analyticsQuery = z.strictObject({
  days: wholeNumber(1, 90, 30, 'Days of the series; the last one is today, UTC'),
});

export const analyticsSchema = z.object({
  data: z.object({
    pack_key: z.string(),
    totals: z.object(counts).describe('Since the pack was made'),
    last_7_days: z.object(counts).describe('Today included'),
    last_30_days: z.object(counts),
    rating_score: z
      .number()
      .describe('Lower end of the Wilson score interval (95 %) of likes among all ratings; 0 without'),
    days: z.array(z.object({ day: z.string().describe('YYYY-MM-DD, UTC'), ...counts })),
  }),
});
