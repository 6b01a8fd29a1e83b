/** Stickers that come in other than into a named pack: in the place of another one, or wherever their owner collects. */
import { z } from 'zod';
import type { Actor, CollectedSticker } from '@omnizap/catalog';
import type { Finding } from '@omnizap/imaging';
import type { ApiDeps } from '../api-deps.ts';
import { changeOf } from '../entity-tags.ts';
import { operation, type Answer, type Operation } from '../operation.ts';
import { takenAnswer } from '../pack-answers.ts';
import { collectedSchema, senderName } from '../pack-edit-schemas.ts';
import { judgedStickerSchema } from '../pack-file-schemas.ts';
import { collectedOutcome, replacedOutcome } from '../request-outcomes.ts';
import { stickerFields, withReceivedSticker } from '../sticker-form.ts';
import { findingsOfUpload } from '../upload-findings.ts';
import { packKeyOf, stickerIdOf } from './pack-path.ts';

const asUpload = { routeGroup: 'catalog_api_upload', access: 'catalog:write', query: z.strictObject({}) } as const;

export function stickerIntakeOperations(deps: ApiDeps): Operation[] {
  const { autoCollect, replaceSticker, store } = deps;

  const replace = operation({
    method: 'post',
    path: '/api/sticker-packs/{packKey}/stickers/{stickerId}/replace',
    id: 'replaceSticker',
    summary: 'Puts a new picture in the place of a sticker; emojis and label stay unless they are given.',
    ...asUpload,
    params: { packKey: 'Key of the pack', stickerId: 'Id of the sticker' },
    rawBody: { contentType: 'multipart/form-data', schema: z.object(stickerFields) },
    problems: [
      'sticker-duplicate',
      'image-unsupported',
      'image-corrupt',
      'image-too-many-pixels',
      'image-too-many-frames',
    ],
    example: {
      params: { packKey: '{throwawayPackKey}', stickerId: '{throwawayStickerId}' },
      multipart: { file: '{newPicture}' },
      status: 202,
    },
    headers: ['If-Match'],
    responses: {
      202: {
        description: 'Taken; it is being worked on. The place has a new sticker_id.',
        schema: judgedStickerSchema,
      },
      200: { description: 'The place has these bytes already.', schema: judgedStickerSchema },
    },
    async handle({ request, params, actor, requestId }) {
      const owner = actor as Actor;
      const [packKey, stickerId] = [packKeyOf(params), stickerIdOf(params)];
      // Before a byte of the body is read: strangers' megabytes are not worth receiving. Sent again, it finds the sticker replaced, and
      // is answered with what was kept: that is known when its body is.
      const isOnce = request.get('idempotency-key') !== undefined;
      await replaceSticker.check(owner, packKey, isOnce ? null : stickerId);
      return withReceivedSticker(request, store, {}, async (received) => {
        // Before the file is taken over.
        const findings = await findingsOfUpload(received.temporaryPath, received);
        const replaced = await replaceSticker.replace(
          owner,
          packKey,
          stickerId,
          received,
          changeOf(request, requestId),
        );
        return takenAnswer(replaced, findings);
      });
    },
    recover: (_call, outcome) => {
      const replaced = replacedOutcome.safeParse(outcome);
      return Promise.resolve(replaced.success ? takenAnswer(replaced.data.answered) : null);
    },
  });

  const collect = operation({
    method: 'post',
    path: '/api/stickers',
    id: 'collectSticker',
    summary: "Adds a sticker to the owner's current pack, else to a collector pack of theirs, and says which.",
    ...asUpload,
    rawBody: {
      contentType: 'multipart/form-data',
      schema: z.object({
        ...stickerFields,
        sender_name: z.string().max(120).optional().describe('Publisher of a collector pack that is made for it'),
      }),
    },
    problems: [
      'auto-collect-disabled',
      'pack-limit-reached',
      'image-unsupported',
      'image-corrupt',
      'image-too-many-pixels',
      'image-too-many-frames',
    ],
    example: { multipart: { file: '{newPicture}', emojis: '["😺"]', sender_name: 'Ana' }, status: 202 },
    responses: {
      202: { description: 'Taken; it is being worked on.', schema: collectedSchema },
      200: { description: 'A pack of the owner has these bytes already.', schema: collectedSchema },
    },
    async handle({ request, actor, requestId }) {
      autoCollect.requireEnabled();
      return withReceivedSticker(request, store, { sender_name: senderName }, async (received) => {
        const sender = received.fields.get('sender_name') ?? '';
        const upload = { ...received, emojis: received.emojis ?? [] };
        const findings = await findingsOfUpload(received.temporaryPath, upload);
        return collectedAnswer(await autoCollect.collect(actor as Actor, upload, sender, requestId), findings);
      });
    },
    recover: (_call, outcome) => {
      const collected = collectedOutcome.safeParse(outcome);
      return Promise.resolve(collected.success ? collectedAnswer(collected.data) : null);
    },
  });

  return [replace, collect];
}

function collectedAnswer(collected: CollectedSticker, findings: Finding[] = []): Answer {
  return takenAnswer(collected, findings, {
    pack_key: collected.packKey,
    pack_name: collected.packName,
    outcome: collected.isNew ? 'added' : 'duplicate',
  });
}
