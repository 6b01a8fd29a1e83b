/** What the validator says, as clients see it. */
import { z } from 'zod';
import type { Finding } from '@omnizap/imaging';

export const findingSchema = z
  .object({
    rule: z.string().describe('Of runbooks/whatsapp-rules.md'),
    severity: z.enum(['error', 'warning']).describe('error: WhatsApp refuses it'),
    message: z.string(),
    remedy: z.string(),
    fixed_automatically: z.boolean().describe('In the file that is served, or in the download'),
    subject: z.string().nullable().describe('The file or the sticker; null when it is the only one, or the pack'),
  })
  .meta({ id: 'Finding' });

export function findingJson(one: Finding): z.output<typeof findingSchema> {
  const { rule, severity, message, remedy, isMended, subject } = one;
  return { rule, severity, message, remedy, fixed_automatically: isMended, subject };
}
