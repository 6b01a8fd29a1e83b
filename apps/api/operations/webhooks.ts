/** Webhooks: where owners have themselves told of what happens to their packs. */
import { z } from 'zod';
import type { Actor } from '@omnizap/catalog';
import { AppError } from '@omnizap/runtime';
import type { ApiDeps } from '../api-deps.ts';
import { operation, type Operation } from '../operation.ts';
import { createdWebhookSchema, webhookInput, webhookJson, webhookListSchema } from '../webhook-schemas.ts';

const common = { routeGroup: 'catalog_api_auth', access: 'catalog:write', query: z.strictObject({}) } as const;
const path = '/api/webhooks';

export function webhookOperations({ webhooks }: ApiDeps): Operation[] {
  const create = operation({
    ...common,
    method: 'post',
    path,
    id: 'createWebhook',
    summary: "Has a URL told of what happens to the caller's published packs. The secret is shown in this answer only.",
    body: webhookInput,
    hasSecretAnswer: true,
    problems: ['webhook-limit-reached', 'webhooks-disabled'],
    example: {
      body: { url: 'https://receiver.example/omnizap', events: ['pack.published', 'pack.deleted'] },
      status: 201,
    },
    responses: { 201: { description: 'The webhook, with its secret.', schema: createdWebhookSchema } },
    async handle({ body, actor }) {
      const { webhook, secret } = await webhooks.create(actor as Actor, body);
      return { status: 201, body: { data: { ...webhookJson(webhook), secret } } };
    },
  });

  const list = operation({
    ...common,
    method: 'get',
    path,
    id: 'listWebhooks',
    summary: "The caller's webhooks with how their last attempts went, the oldest first.",
    example: { status: 200 },
    responses: { 200: { description: 'All of them.', schema: webhookListSchema } },
    async handle({ actor }) {
      const found = await webhooks.list(actor as Actor);
      return { status: 200, body: { data: found.map(webhookJson) } };
    },
  });

  const remove = operation({
    ...common,
    method: 'delete',
    path: `${path}/{webhookId}`,
    id: 'deleteWebhook',
    summary: 'Ends a webhook. What it was still to be told is not sent.',
    params: { webhookId: 'Id of the webhook' },
    example: { params: { webhookId: '{throwawayWebhookId}' }, status: 204 },
    responses: { 204: { description: 'Ended.' } },
    async handle({ params, actor }) {
      const webhookId = z.uuid().safeParse(params.webhookId);
      if (!webhookId.success) throw new AppError('not-found', 'There is no webhook with this id.');
      await webhooks.remove(actor as Actor, webhookId.data.toLowerCase());
      return { status: 204 };
    },
  });

  return [create, list, remove];
}
