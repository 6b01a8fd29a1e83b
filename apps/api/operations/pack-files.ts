/** Packs as files: downloads for other programs, and a file that becomes a pack. */
import type { Request, Response } from 'express';
import { rm } from 'node:fs/promises';
import { z } from 'zod';
import { findingsOfPack, type Actor } from '@omnizap/catalog';
import { imageLimits, packFormats, type PackFormat } from '@omnizap/imaging';
import { AppError } from '@omnizap/runtime';
import type { ApiDeps } from '../api-deps.ts';
import { findingJson } from '../finding-json.ts';
import { receiveFile } from '../multipart.ts';
import { operation, type Operation } from '../operation.ts';
import { createPackAnswers } from '../pack-answers.ts';
import { importedPackSchema } from '../pack-file-schemas.ts';
import { sendStoredFile } from '../send-stored-file.ts';
import { viewerOf } from '../viewer.ts';
import { packKeyOf } from './pack-path.ts';

/** The pack may change, and its file with it; a client that asks again is told "unchanged" by the ETag. */
const downloadCacheControl = 'public, max-age=60, stale-while-revalidate=600';
const maxIdentifierLength = 128;

const downloads: Record<PackFormat, { extension: string; id: string; summary: string; contentType: string }> = {
  wastickers: {
    extension: 'wastickers',
    id: 'downloadWastickers',
    summary: 'The pack as .wastickers, which sticker apps for WhatsApp import.',
    contentType: 'application/octet-stream',
  },
  whatsapp: {
    extension: 'whatsapp.zip',
    id: 'downloadWhatsappFolder',
    summary: "The pack as the contents.json folder that WhatsApp's sample app is built with.",
    contentType: 'application/zip',
  },
  telegram: {
    extension: 'telegram.zip',
    id: 'downloadTelegramSet',
    summary: 'The still stickers as a static set for Telegram, with their emojis in pack.json.',
    contentType: 'application/zip',
  },
  signal: {
    extension: 'signal.zip',
    id: 'downloadSignalSet',
    summary: 'The still stickers as a static set for Signal, with their emojis in pack.json.',
    contentType: 'application/zip',
  },
};

export function packFileOperations(deps: ApiDeps): Operation[] {
  const { packExports, packImports, store } = deps;
  const answers = createPackAnswers(deps.reader);

  const exported = packFormats.map((format) => {
    const { extension, id, summary, contentType } = downloads[format];
    return operation({
      method: 'get',
      path: `/api/sticker-packs/{packKey}/download.${extension}`,
      id,
      summary,
      routeGroup: 'catalog_data_asset',
      access: 'optional',
      params: { packKey: 'Key of the pack' },
      query: z.strictObject({}),
      responses: {
        200: { description: 'The file.', schema: z.string().meta({ format: 'binary' }), contentType },
        206: { description: 'The range asked for.', schema: z.string().meta({ format: 'binary' }), contentType },
        304: { description: 'Unchanged.' },
      },
      // A file that is not kept yet is built.
      limit: 'read',
      problems: ['pack-not-exportable'],
      example: { params: { packKey: '{ownPackKey}' }, status: 200 },
      async handle({ request, response, params, actor, requestId, log }) {
        const packKey = packKeyOf(params);
        const { file, digest, sizeBytes, isPublic } = await packExports.open(packKey, format, actor);
        response.set({
          'Content-Type': contentType,
          // A key has letters, digits and "-" only: nothing in it can end the file name.
          'Content-Disposition': `attachment; filename="${packKey}.${extension}"`,
          ETag: `"${digest}"`,
          'Cache-Control': isPublic && !actor ? downloadCacheControl : 'private, no-store',
        });
        const viewer = viewerOf(request);
        await sendStoredFile(request, response, { root: packExports.root, name: `/${file}`, sizeBytes });
        // What could not be counted has been handed out all the same.
        if (isPublic && isWholeFile(request, response, sizeBytes))
          await deps.engagement.record(packKey, 'download', viewer, requestId).catch((error: unknown) => {
            log.warn({ err: error, pack_key: packKey }, 'a download was not counted');
          });
        return 'written';
      },
    });
  });

  const imported = operation({
    method: 'post',
    path: '/api/sticker-packs/import',
    id: 'importPack',
    summary: 'Makes a draft from a .wastickers file or a zip with contents.json: all of its stickers, or nothing.',
    routeGroup: 'catalog_api_upload',
    access: 'catalog:write',
    query: z.strictObject({}),
    rawBody: {
      contentType: 'multipart/form-data',
      schema: z.object({
        file: z.string().meta({ format: 'binary', description: 'At most 20 MiB' }),
        identifier: z
          .string()
          .max(maxIdentifierLength)
          .optional()
          .describe('Which pack of a contents.json with several'),
      }),
    },
    responses: { 201: { description: 'The new pack.', schema: importedPackSchema, headers: ['Location'] } },
    problems: [
      ...([
        'pack-file-invalid',
        'pack-file-unsafe',
        'pack-limit-reached',
        'image-unsupported',
        'image-corrupt',
      ] as const),
      ...(['image-too-many-pixels', 'image-too-many-frames'] as const),
    ],
    example: { multipart: { file: '{newPackFile}' }, status: 201 },
    async handle({ request, actor, requestId }) {
      const temporaryPath = store.temporaryPath();
      try {
        const { fields } = await receiveFile(request, {
          fileField: 'file',
          textFields: ['identifier'],
          maxBytes: imageLimits.maxBytes,
          path: temporaryPath,
        });
        const identifier = identifierOf(fields.get('identifier'));
        const { view, findings } = await packImports.importFile(actor as Actor, temporaryPath, {
          identifier,
          requestId,
        });
        return await answers.created(view, { findings: findings.map(findingJson) });
      } finally {
        await rm(temporaryPath, { force: true });
      }
    },
    // What was found about the file is gone with it; what is said of the pack is not.
    recover: ({ actor }, outcome) =>
      answers.createdAgain(actor, outcome, ({ pack }, stickers) => ({
        findings: findingsOfPack(pack, stickers).map(findingJson),
      })),
  });

  return [...exported, imported];
}

/** From the first byte to the last, and all of them sent: a part of a file is no download, and neither is a look at its headers. */
function isWholeFile(request: Request, response: Response, sizeBytes: number): boolean {
  if (request.method !== 'GET' || !response.writableFinished) return false;
  return (
    response.statusCode === 200 ||
    (response.statusCode === 206 && response.get('Content-Range') === `bytes 0-${sizeBytes - 1}/${sizeBytes}`)
  );
}

/** @throws AppError `validation-failed` */
function identifierOf(field: string | undefined): string | undefined {
  if (field === undefined || field === '') return undefined;
  if (field.length <= maxIdentifierLength) return field;
  const detail = `must have at most ${maxIdentifierLength} characters`;
  throw new AppError('validation-failed', `Field "identifier" ${detail}.`, {
    fields: [{ pointer: '/identifier', detail }],
  });
}
