/** What owners see of what is theirs: their packs of any status, and their stickers that are in no pack. */
import { z } from 'zod';
import type { Database } from '@omnizap/runtime';
import { readPackViews, type PackView } from './catalogue-store.ts';
import { formatKeyset, keysetInstant, parseKeyset } from './keyset-cursor.ts';
import { pageOfOrphans, pageOfPacks, type Orphan } from './pack-owner-store.ts';
import type { Actor } from './packs.ts';

export type OwnedPage<T> = { entries: T[]; nextCursor: string | null };

export type OwnerReader = ReturnType<typeof createOwnerReader>;

export function createOwnerReader({ database }: { database: Database }) {
  const { knex } = database;
  return {
    /**
     * The actor's own packs, drafts included, the newest change first. A pack that changes while the list is followed moves to the
     * front, where a new start finds it.
     * @throws AppError `invalid-cursor`
     */
    async packs(actor: Actor, limit: number, cursorText: string | undefined): Promise<OwnedPage<PackView>> {
      const cursor = parseKeyset('packs', cursorText, { i: z.uuid(), t: keysetInstant });
      const after = cursor && { id: cursor.i, updatedAt: new Date(cursor.t) };
      const rows = await pageOfPacks(knex, actor.ownerId, limit + 1, after);
      const page = rows.slice(0, limit);
      const views = await readPackViews(
        knex,
        page.map((row) => row.id),
      );
      const byId = new Map(views.map((view) => [view.pack.id, view]));
      const last = page.at(-1);
      return {
        entries: page.map((row) => byId.get(row.id)).filter((view) => view !== undefined),
        nextCursor:
          last && rows.length > limit ? formatKeyset('packs', { i: last.id, t: last.updatedAt.getTime() }) : null,
      };
    },

    /**
     * Ready stickers that are in no pack, the newest first: the actor's own, everybody's for an administrator.
     * @throws AppError `invalid-cursor`
     */
    async orphans(actor: Actor, limit: number, cursorText: string | undefined): Promise<OwnedPage<Orphan>> {
      const beforeId = parseKeyset('orphans', cursorText, { i: z.uuid() })?.i ?? null;
      const rows = await pageOfOrphans(knex, actor.isAdmin ? null : actor.ownerId, limit + 1, beforeId);
      const entries = rows.slice(0, limit);
      const last = entries.at(-1);
      return {
        entries,
        nextCursor: last && rows.length > limit ? formatKeyset('orphans', { i: last.stickerId }) : null,
      };
    },
  };
}
