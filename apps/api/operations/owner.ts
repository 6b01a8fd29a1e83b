/** What owners do: make packs, add stickers, publish, remove. */
import { z } from 'zod';
import { findingsOfPack, type Actor, type PackView } from '@omnizap/catalog';
import type { ApiDeps } from '../api-deps.ts';
import { expectedVersionOf } from '../entity-tags.ts';
import { findingJson } from '../finding-json.ts';
import { operation, type Answer, type Operation } from '../operation.ts';
import { judgedStickerSchema, publishedPackSchema } from '../pack-file-schemas.ts';
import { createPackAnswers, takenAnswer } from '../pack-answers.ts';
import { stickerOutcome } from '../request-outcomes.ts';
import { packInput, packSummarySchema } from '../schemas.ts';
import { stickerFields, withReceivedSticker } from '../sticker-form.ts';
import { findingsOfUpload } from '../upload-findings.ts';
import { packKeyOf } from './pack-path.ts';

const packKeyParam = { packKey: 'Key of the pack' };

export function ownerOperations(deps: ApiDeps): Operation[] {
  const { packs, reader, uploads, store } = deps;
  const answers = createPackAnswers(reader);

  async function publishedAnswer(owner: Actor, view: PackView): Promise<Answer> {
    // It is published already: what is deleted or out of reach a moment later must not make that look refused.
    const { stickers } = await reader.readPack(view.pack.packKey, owner).catch(() => ({ stickers: null }));
    return answers.found(view, {
      findings: stickers === null ? [] : findingsOfPack(view.pack, stickers).map(findingJson),
    });
  }

  /** The pack as it is now, for an answer that was not given when it was made. */
  async function readAgain(actor: Actor | null, packKey: string): Promise<PackView> {
    return (await reader.readPack(packKey, actor)).view;
  }

  const create = operation({
    method: 'post',
    path: '/api/sticker-packs',
    id: 'createPack',
    summary: 'Makes a pack; it is a draft until it is published.',
    routeGroup: 'catalog_api_auth',
    access: 'catalog:write',
    query: z.strictObject({}),
    body: packInput,
    responses: { 201: { description: 'The new pack.', schema: packSummarySchema, headers: ['Location'] } },
    problems: ['pack-limit-reached'],
    example: { body: { name: 'Happy cats', publisher: 'Ana', tags: ['cats', 'happy'] }, status: 201 },
    async handle({ body, actor, requestId }) {
      return answers.created(await packs.create(actor as Actor, body, requestId));
    },
    recover: ({ actor }, outcome) => answers.createdAgain(actor, outcome),
  });

  const upload = operation({
    method: 'post',
    path: '/api/sticker-packs/{packKey}/stickers',
    id: 'addSticker',
    summary: 'Adds a sticker (WebP, PNG, JPEG, GIF or APNG). It is classified and made ready in the background.',
    routeGroup: 'catalog_api_upload',
    access: 'catalog:write',
    params: packKeyParam,
    query: z.strictObject({}),
    rawBody: {
      contentType: 'multipart/form-data',
      schema: z.object(stickerFields),
    },
    responses: {
      202: { description: 'Taken; it is being worked on.', schema: judgedStickerSchema },
      200: { description: 'The pack already has these bytes.', schema: judgedStickerSchema },
    },
    problems: ['pack-full', 'image-unsupported', 'image-corrupt', 'image-too-many-pixels', 'image-too-many-frames'],
    example: {
      params: { packKey: '{draftPackKey}' },
      multipart: { file: '{newPicture}', emojis: '["😀"]', accessibility_label: 'A cat that laughs' },
      status: 202,
    },
    async handle({ request, params, actor, requestId }) {
      const owner = actor as Actor;
      const packKey = packKeyOf(params);
      // Before a byte of the body is read: strangers' megabytes are not worth receiving.
      await uploads.checkPack(owner, packKey);
      return withReceivedSticker(request, store, {}, async (received) => {
        const upload = { ...received, emojis: received.emojis ?? [] };
        // Before the file is taken over.
        const findings = await findingsOfUpload(received.temporaryPath, upload);
        const added = await uploads.addSticker(owner, packKey, upload, requestId);
        return takenAnswer(added, findings);
      });
    },
    recover: (_call, outcome) => {
      const added = stickerOutcome.safeParse(outcome);
      return Promise.resolve(added.success ? takenAnswer(added.data) : null);
    },
  });

  const publish = operation({
    method: 'post',
    path: '/api/sticker-packs/{packKey}/publish',
    id: 'publishPack',
    summary: 'Shows the pack as its visibility says.',
    routeGroup: 'catalog_api_auth',
    access: 'catalog:write',
    params: packKeyParam,
    query: z.strictObject({}),
    headers: ['If-Match'],
    responses: { 200: { description: 'The published pack.', schema: publishedPackSchema } },
    problems: ['pack-empty'],
    example: { params: { packKey: '{draftPackKey}' }, status: 200 },
    async handle({ request, params, actor, requestId }) {
      const owner = actor as Actor;
      const expected = expectedVersionOf(request);
      return publishedAnswer(owner, await packs.publish(owner, packKeyOf(params), requestId, expected));
    },
    recover: async ({ params, actor }) => publishedAnswer(actor as Actor, await readAgain(actor, packKeyOf(params))),
  });

  const remove = operation({
    method: 'delete',
    path: '/api/sticker-packs/{packKey}',
    id: 'deletePack',
    summary: 'Takes the pack out of the catalogue.',
    routeGroup: 'catalog_api_auth',
    access: 'catalog:write',
    params: packKeyParam,
    query: z.strictObject({}),
    headers: ['If-Match'],
    responses: { 204: { description: 'Gone.' } },
    example: { params: { packKey: '{throwawayPackKey}' }, status: 204 },
    async handle({ request, params, actor, requestId }) {
      await packs.remove(actor as Actor, packKeyOf(params), requestId, expectedVersionOf(request));
      return { status: 204 };
    },
  });

  return [create, upload, publish, remove];
}
