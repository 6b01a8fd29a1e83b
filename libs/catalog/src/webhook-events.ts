/**
 * What of a change of a pack its owner's webhooks are told. Messages are written in the change's own transaction, so that a change
 * is told if and only if it happened. They say which pack, not what it looks like: whoever is told asks for the rest.
 */
import type { Transaction } from '@omnizap/runtime';
import { v7 as uuidv7 } from 'uuid';
import type { DomainEvent } from './events.ts';
import { insertMessages, subscribersOfPack, webhooksStillToTell } from './webhook-store.ts';

export const webhookEvents = ['pack.published', 'pack.updated', 'pack.moderated', 'pack.deleted'] as const;
export type WebhookEvent = (typeof webhookEvents)[number];

const eventOfAction: Readonly<Record<string, WebhookEvent>> = {
  // Drafts are left out below; what auto-collect opens is published as it is made.
  created: 'pack.published',
  published: 'pack.published',
  moderated: 'pack.moderated',
  deleted: 'pack.deleted',
  ...Object.fromEntries(
    [
      ...['edited', 'cover_chosen', 'reordered', 'sticker_added', 'sticker_edited', 'sticker_replaced'],
      'sticker_removed',
    ].map((action) => [action, 'pack.updated' as const]),
  ),
};

/**
 * The events, those with something to tell now naming the messages that tell it. Of a pack that was never published nothing is
 * told: a draft changes with every sticker.
 */
export async function withWebhookMessages(trx: Transaction, events: DomainEvent[]): Promise<DomainEvent[]> {
  const told: DomainEvent[] = [];
  for (const event of events) told.push(event.type === 'PACK_UPDATED' ? await tell(trx, event) : event);
  return told;
}

async function tell(trx: Transaction, event: Extract<DomainEvent, { type: 'PACK_UPDATED' }>): Promise<DomainEvent> {
  const type = eventOfAction[event.payload.action];
  if (type === undefined) return event;
  const packId = event.payload.pack_id;
  const subscribers = (await subscribersOfPack(trx, packId)).filter(({ events }) => events.includes(type));
  if (subscribers.length === 0) return event;
  const webhookIds = subscribers.map(({ webhookId }) => webhookId);
  const stillToTell = await webhooksStillToTell(trx, { webhookIds, packId, type });
  const untold = subscribers.filter(({ webhookId }) => !stillToTell.has(webhookId));
  if (untold.length === 0) return event;
  const messages = untold.map(({ webhookId, packKey, version }) => ({
    ...{ messageId: uuidv7(), webhookId, packId, type },
    data: { pack_key: packKey, version },
  }));
  await insertMessages(trx, messages);
  return {
    ...event,
    payload: { ...event.payload, webhook_message_ids: messages.map(({ messageId }) => messageId) },
  };
}
