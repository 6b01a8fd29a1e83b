/** What owners list of what is theirs. */
import type { Actor } from '@omnizap/catalog';
import type { ApiDeps } from '../api-deps.ts';
import { operation, type Operation } from '../operation.ts';
import { orphansSchema, ownedPacksSchema, ownedQuery } from '../pack-edit-schemas.ts';
import { packJson } from '../pack-json.ts';

const asOwner = { routeGroup: 'catalog_api_auth', access: 'catalog:write', query: ownedQuery } as const;

export function ownerListOperations({ ownerReader, reader, signedPaths }: ApiDeps): Operation[] {
  const packs = operation({
    method: 'get',
    path: '/api/me/sticker-packs',
    id: 'listOwnPacks',
    summary: "The caller's packs, drafts included, the newest change first.",
    ...asOwner,
    example: { query: { limit: 5 }, status: 200 },
    responses: { 200: { description: 'A page of packs.', schema: ownedPacksSchema } },
    async handle({ query: { limit, cursor }, actor }) {
      const page = await ownerReader.packs(actor as Actor, limit, cursor);
      const views = await Promise.all(page.entries.map((view) => reader.withSignals(view)));
      return {
        status: 200,
        body: {
          data: views.map((view) => packJson(view, { countAll: true, sign: signedPaths.signerOf(view.pack) })),
          pagination: paginationOf(limit, page.nextCursor),
        },
      };
    },
  });

  const orphans = operation({
    method: 'get',
    path: '/api/sticker-packs/orphan-stickers',
    id: 'listOrphanStickers',
    summary:
      "The caller's ready stickers that are in no pack, the newest first; everybody's for an administrator. They are removed after the grace period (30 days, unless the operator chose another).",
    ...asOwner,
    example: { query: { limit: 5 }, status: 200 },
    responses: { 200: { description: 'A page of stickers.', schema: orphansSchema } },
    async handle({ query: { limit, cursor }, actor }) {
      const page = await ownerReader.orphans(actor as Actor, limit, cursor);
      return {
        status: 200,
        body: {
          data: page.entries.map((orphan) => ({
            sticker_id: orphan.stickerId,
            sha256: orphan.sha256,
            width: orphan.width,
            height: orphan.height,
            size_bytes: orphan.sizeBytes,
            is_animated: orphan.isAnimated,
            created_at: orphan.createdAt.toISOString(),
          })),
          pagination: paginationOf(limit, page.nextCursor),
        },
      };
    },
  });

  return [packs, orphans];
}

function paginationOf(limit: number, nextCursor: string | null): object {
  return { limit, next_cursor: nextCursor, has_more: nextCursor !== null };
}
