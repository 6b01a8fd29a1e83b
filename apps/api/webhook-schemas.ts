/** Schemas of webhooks, in and out. */
import { z } from 'zod';
import { maxUrlLength, maxWebhooksPerOwner, webhookEvents, type Webhook } from '@omnizap/catalog';
import { instant } from './schemas.ts';

const event = z.enum(webhookEvents);

export const webhookInput = z.strictObject({
  url: z
    .string()
    .min(1)
    .max(maxUrlLength, `must have at most ${maxUrlLength} characters`)
    .describe('https, on a host of the public internet, without user name, password and fragment'),
  events: z
    .array(event)
    .min(1, 'must name at least one event')
    .max(webhookEvents.length, `must have at most ${webhookEvents.length} entries`)
    .default([...webhookEvents])
    .describe('What to tell of; all, when absent'),
});

const webhookSchema = z.object({
  webhook_id: z.string(),
  url: z.string(),
  events: z.array(z.string()),
  created_at: instant,
  failures_in_row: z.int().describe('Failed attempts since the last message that was taken'),
  last_attempt: z
    .object({
      at: instant,
      http_status: z.int().nullable().describe('null: there was no answer'),
      error: z.string().nullable().describe('null: the message was taken'),
    })
    .nullable()
    .describe('null: nothing was sent yet'),
  disabled: z
    .object({ at: instant, reason: z.string() })
    .nullable()
    .describe('Nothing is sent any more; delete it and make it again'),
});
export const createdWebhookSchema = z.object({
  data: webhookSchema.extend({ secret: z.string().describe('Verifies signatures; shown here and never again') }),
});
export const webhookListSchema = z.object({ data: z.array(webhookSchema).max(maxWebhooksPerOwner) });

export function webhookJson(webhook: Webhook): z.input<typeof webhookSchema> {
  const { lastAttempt, disabled } = webhook;
  return {
    webhook_id: webhook.id,
    url: webhook.url,
    events: webhook.events,
    created_at: webhook.createdAt.toISOString(),
    failures_in_row: webhook.failuresInRow,
    last_attempt: lastAttempt && {
      at: lastAttempt.at.toISOString(),
      http_status: lastAttempt.httpStatus,
      error: lastAttempt.error,
    },
    disabled: disabled && { at: disabled.at.toISOString(), reason: disabled.reason },
  };
}
