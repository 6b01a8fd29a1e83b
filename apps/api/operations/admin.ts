/** What administrators do. */
import { z } from 'zod';
import type { Actor } from '@omnizap/catalog';
import { AppError } from '@omnizap/runtime';
import type { ApiDeps } from '../api-deps.ts';
import { operation, type Operation } from '../operation.ts';
import { createdKeySchema, keyInput } from '../schemas.ts';

export function adminOperations(deps: ApiDeps): Operation[] {
  const createKey = operation({
    method: 'post',
    path: '/api/admin/api-keys',
    id: 'createApiKey',
    summary: 'Makes an API key. The key is shown in this answer and never again.',
    routeGroup: 'catalog_api_admin',
    access: 'admin',
    query: z.strictObject({}),
    body: keyInput,
    hasSecretAnswer: true,
    responses: { 201: { description: 'The key.', schema: createdKeySchema } },
    example: { body: { owner_id: '{newOwnerId}', scopes: ['catalog:write'] }, status: 201 },
    async handle({ body, actor, requestId }) {
      const created = await deps.apiKeys.create(
        { ownerId: body.owner_id, scopes: body.scopes },
        { actor: (actor as Actor).ownerId, requestId },
      );
      return { status: 201, body: { data: { key_id: created.keyId, key: created.key } } };
    },
  });

  const revokeKey = operation({
    method: 'delete',
    path: '/api/admin/api-keys/{keyId}',
    id: 'revokeApiKey',
    summary: 'Revokes an API key at once.',
    routeGroup: 'catalog_api_admin',
    access: 'admin',
    params: { keyId: 'Id of the key' },
    query: z.strictObject({}),
    responses: { 204: { description: 'Revoked.' } },
    example: { params: { keyId: '{throwawayKeyId}' }, status: 204 },
    async handle({ params, actor, requestId }) {
      const keyId = params.keyId ?? '';
      if (!/^[0-9a-f]{16}$/.test(keyId)) throw new AppError('not-found', 'There is no API key with this id.');
      await deps.apiKeys.revoke(keyId, { actor: (actor as Actor).ownerId, requestId });
      return { status: 204 };
    },
  });

  return [createKey, revokeKey];
}
