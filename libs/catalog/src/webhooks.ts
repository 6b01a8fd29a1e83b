/** Where owners have themselves told of what happens to their packs. */
import { AppError, type Database } from '@omnizap/runtime';
import { v7 as uuidv7 } from 'uuid';
import { assertOwnerMayWrite } from './ban-store.ts';
import type { OwnerTurns } from './owner-turns.ts';
import type { Actor } from './packs.ts';
import type { WebhookEvent } from './webhook-events.ts';
import { createWebhookSecret } from './webhook-signature.ts';
import { insertWebhook, removeWebhook, webhooksOfOwner, type Webhook } from './webhook-store.ts';
import { problemOfUrl, type WebhookOptions } from './webhook-url.ts';

export const maxWebhooksPerOwner = 5;

export type Webhooks = ReturnType<typeof createWebhooks>;

export function createWebhooks(deps: { database: Database; turns: OwnerTurns }, options: WebhookOptions) {
  const { database, turns } = deps;

  return {
    /**
     * The secret is in the answer and never again.
     * @throws AppError `webhooks-disabled`, `validation-failed` for a URL that may not be called, `webhook-limit-reached`,
     * `owner-banned`
     */
    async create(
      actor: Actor,
      input: { url: string; events: readonly WebhookEvent[] },
    ): Promise<{ webhook: Webhook; secret: string }> {
      if (!options.isEnabled) throw new AppError('webhooks-disabled', 'Webhooks are turned off on this server.');
      const problem = problemOfUrl(input.url, options);
      if (problem !== null)
        throw new AppError('validation-failed', `The url ${problem}.`, {
          fields: [{ pointer: '/url', detail: problem }],
        });
      const secret = createWebhookSecret();
      const webhook = await turns.run(actor.ownerId, async (trx) => {
        await assertOwnerMayWrite(trx, actor.ownerId);
        if ((await webhooksOfOwner(trx, actor.ownerId)).length >= maxWebhooksPerOwner)
          throw new AppError(
            'webhook-limit-reached',
            `An owner can have ${maxWebhooksPerOwner} webhooks and has them already: delete one that is no longer needed.`,
          );
        const id = uuidv7();
        const events = [...new Set(input.events)];
        await insertWebhook(trx, { id, ownerId: actor.ownerId, url: input.url, events, secret });
        const made = (await webhooksOfOwner(trx, actor.ownerId)).find((entry) => entry.id === id);
        if (!made) throw new Error(`Webhook ${id} is gone within the transaction that made it`);
        return made;
      });
      return { webhook, secret };
    },

    /** The owner's own, the oldest first. */
    list: (actor: Actor): Promise<Webhook[]> => webhooksOfOwner(database.knex, actor.ownerId),

    /** Nothing more is sent there, also not what waited. @throws AppError `not-found`, `owner-banned` */
    async remove(actor: Actor, webhookId: string): Promise<void> {
      await database.transaction(async (trx) => {
        await assertOwnerMayWrite(trx, actor.ownerId);
        if (!(await removeWebhook(trx, webhookId, actor.isAdmin ? null : actor.ownerId)))
          throw new AppError('not-found', `There is no webhook "${webhookId}".`);
      });
    },
  };
}
