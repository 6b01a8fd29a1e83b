/** What owners change about their packs and the stickers in them. */
import { z } from 'zod';
import type { Actor } from '@omnizap/catalog';
import { parseEmojis } from '@omnizap/imaging';
import type { ApiDeps } from '../api-deps.ts';
import { changeOf } from '../entity-tags.ts';
import { operation, type Operation } from '../operation.ts';
import {
  cloneInput,
  coverInput,
  orderInput,
  packChanges,
  stickerAnswer,
  stickerChanges,
} from '../pack-edit-schemas.ts';
import { createPackAnswers } from '../pack-answers.ts';
import { stickerJson } from '../pack-json.ts';
import { packSummarySchema } from '../schemas.ts';
import { packKeyOf, stickerIdOf } from './pack-path.ts';

const packKeyParam = { packKey: 'Key of the pack' };
const stickerParams = { ...packKeyParam, stickerId: 'Id of the sticker' };
const asOwner = { routeGroup: 'catalog_api_auth', access: 'catalog:write', query: z.strictObject({}) } as const;

export function packEditOperations(deps: ApiDeps): Operation[] {
  const { packEdits, packClone, reader } = deps;
  const answers = createPackAnswers(reader);

  const edit = operation({
    method: 'patch',
    path: '/api/sticker-packs/{packKey}',
    id: 'editPack',
    summary: 'Changes texts, tags or visibility of a pack; what is absent stays.',
    ...asOwner,
    params: packKeyParam,
    body: packChanges,
    example: { params: { packKey: '{ownPackKey}' }, body: { description: 'Cats for every day' }, status: 200 },
    headers: ['If-Match'],
    responses: { 200: { description: 'The pack, changed or as it was.', schema: packSummarySchema } },
    async handle({ request, params, body, actor, requestId }) {
      const view = await packEdits.edit(actor as Actor, packKeyOf(params), body, changeOf(request, requestId));
      return answers.found(view);
    },
  });

  const cover = operation({
    method: 'put',
    path: '/api/sticker-packs/{packKey}/cover',
    id: 'choosePackCover',
    summary: 'Chooses the cover. cover_url follows when the pack was looked at, and the sticker is ready.',
    ...asOwner,
    params: packKeyParam,
    body: coverInput,
    example: { params: { packKey: '{ownPackKey}' }, body: { sticker_id: '{secondStickerId}' }, status: 200 },
    headers: ['If-Match'],
    responses: { 200: { description: 'The pack.', schema: packSummarySchema } },
    async handle({ request, params, body, actor, requestId }) {
      const view = await packEdits.chooseCover(
        actor as Actor,
        packKeyOf(params),
        body.sticker_id,
        changeOf(request, requestId),
      );
      return answers.found(view);
    },
  });

  const order = operation({
    method: 'put',
    path: '/api/sticker-packs/{packKey}/order',
    id: 'orderPack',
    summary: 'Puts the stickers in order; the list names each of them once.',
    ...asOwner,
    params: packKeyParam,
    body: orderInput,
    example: { params: { packKey: '{ownPackKey}' }, body: { sticker_ids: '{stickerIds}' }, status: 200 },
    headers: ['If-Match'],
    responses: { 200: { description: 'The pack.', schema: packSummarySchema } },
    async handle({ request, params, body, actor, requestId }) {
      const view = await packEdits.reorder(
        actor as Actor,
        packKeyOf(params),
        body.sticker_ids,
        changeOf(request, requestId),
      );
      return answers.found(view);
    },
  });

  const clone = operation({
    method: 'post',
    path: '/api/sticker-packs/{packKey}/clone',
    id: 'clonePack',
    summary: 'Makes a private draft with the stickers of a pack that the caller can see.',
    ...asOwner,
    params: packKeyParam,
    body: cloneInput,
    problems: ['pack-limit-reached', 'pack-empty'],
    example: { params: { packKey: '{publicPackKey}' }, body: { name: 'My party dogs' }, status: 201 },
    responses: { 201: { description: 'The new pack.', schema: packSummarySchema, headers: ['Location'] } },
    async handle({ params, body, actor, requestId }) {
      const view = await packClone.clone(actor as Actor, packKeyOf(params), body, requestId);
      return answers.created(view);
    },
    recover: ({ actor }, outcome) => answers.createdAgain(actor, outcome),
  });

  const editSticker = operation({
    method: 'patch',
    path: '/api/sticker-packs/{packKey}/stickers/{stickerId}',
    id: 'editSticker',
    summary: 'Changes what is said about a sticker of a pack; what is absent stays.',
    ...asOwner,
    params: stickerParams,
    body: stickerChanges,
    example: {
      params: { packKey: '{ownPackKey}', stickerId: '{stickerId}' },
      body: { emojis: ['😺'], accessibility_label: 'A cat that smiles' },
      status: 200,
    },
    headers: ['If-Match'],
    responses: { 200: { description: 'The sticker, changed or as it was.', schema: stickerAnswer } },
    async handle({ request, params, body, actor, requestId }) {
      const label = body.accessibility_label;
      const { packKey, sticker } = await packEdits.editSticker(
        actor as Actor,
        packKeyOf(params),
        stickerIdOf(params),
        {
          emojis: body.emojis && parseEmojis(body.emojis),
          accessibilityLabel: label === '' ? null : label,
        },
        changeOf(request, requestId),
      );
      return { status: 200, body: { data: stickerJson(packKey, sticker, { isOwn: true }) } };
    },
  });

  const removeSticker = operation({
    method: 'delete',
    path: '/api/sticker-packs/{packKey}/stickers/{stickerId}',
    id: 'removeSticker',
    summary:
      'Takes a sticker out of a pack. A published pack without stickers shows in no list until it has one again.',
    ...asOwner,
    params: stickerParams,
    example: { params: { packKey: '{throwawayPackKey}', stickerId: '{throwawayStickerId}' }, status: 204 },
    headers: ['If-Match'],
    responses: { 204: { description: 'Gone.' } },
    async handle({ request, params, actor, requestId }) {
      await packEdits.removeSticker(
        actor as Actor,
        packKeyOf(params),
        stickerIdOf(params),
        changeOf(request, requestId),
      );
      return { status: 204 };
    },
  });

  return [edit, cover, order, clone, editSticker, removeSticker];
}
