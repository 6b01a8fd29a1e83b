/**
 * Opens, likes, dislikes and downloads: one per viewer and window, capped per network address, counted in the client's own transaction.
 * Viewers are known only by a keyed hash; the key never leaves the database.
 */
import { AppError, type Database, type Wakeups } from '@omnizap/runtime';
import { outboxTopic } from '@omnizap/outbox';
import { announce, type AnnounceDeps } from './announce.ts';
import {
  countFromAddress,
  countInteraction,
  hasInteraction,
  insertInteraction,
  keyedHash,
  readCounts,
  recentInteractionsOfViewer,
  sharedSecret,
  type Interaction,
  type InteractionRow,
} from './engagement-store.ts';
import { findPackByKey } from './pack-store.ts';
import { isReachable } from './packs.ts';
import type { EngagementCounts } from './ranking-formulas.ts';

const dayMs = 24 * 3_600_000;
const windowMs: Record<Interaction, number> = { open: 30 * 60_000, like: dayMs, dislike: dayMs, download: dayMs };
/** Viewers behind one address that count per pack, interaction and window: a household or an office, not a crowd of made-up keys. */
const maxPerAddress = 20;
/** Recommendations look no further back. */
const maxHistory = 200;
const secretName = 'viewer-hash-key';

export type Viewer = { key: string; address: string };

export function createEngagement(deps: AnnounceDeps & { wakeups: Pick<Wakeups, 'notify'> }) {
  const { database, wakeups } = deps;
  let secret: Promise<string> | undefined;

  function viewerSecret(): Promise<string> {
    secret ??= sharedSecret(database.knex, secretName).catch((error: unknown) => {
      secret = undefined;
      throw error;
    });
    return secret;
  }

  return {
    /** What this viewer did lately, the newest first. */
    affinityOf: async (viewer: Viewer) =>
      recentInteractionsOfViewer(database.knex, keyedHash(await viewerSecret(), 'viewer', viewer.key), maxHistory),

    /** Counts it unless it was counted already. Returns the counters after it. @throws AppError `pack-not-found` */
    async record(
      packKey: string,
      interaction: Interaction,
      viewer: Viewer,
      requestId?: string,
    ): Promise<EngagementCounts> {
      const seen = await findPackByKey(database.knex, packKey);
      if (!seen || !isReachable(seen)) throw packNotFound(packKey);
      const key = await viewerSecret();
      const row: InteractionRow = {
        packId: seen.id,
        interaction,
        viewerHash: keyedHash(key, 'viewer', viewer.key),
        addressHash: keyedHash(key, 'address', viewer.address),
        windowNumber: Math.floor(Date.now() / windowMs[interaction]),
      };
      // Without a lock first: whoever repeats himself must not queue up at the pack's row.
      const counted = (await mayCount(database.knex, row)) ? await count(packKey, row, requestId) : null;
      if (counted) wakeups.notify(outboxTopic);
      return counted ?? readCounts(database.knex, seen.id);
    },
  };

  /** The counters as this one left them; null when it was counted before. */
  function count(
    packKey: string,
    row: InteractionRow,
    requestId: string | undefined,
  ): Promise<EngagementCounts | null> {
    return database.transaction(async (trx) => {
      const pack = await findPackByKey(trx, packKey, database.kind);
      if (!pack || !isReachable(pack)) throw packNotFound(packKey);
      if (!(await mayCount(trx, row)) || !(await insertInteraction(trx, database.kind, row))) return null;
      await countInteraction(trx, database.kind, pack.id, row.interaction);
      const payload = { pack_id: pack.id, action: row.interaction };
      await announce(trx, deps, [{ type: 'ENGAGEMENT_RECORDED', aggregateType: 'sticker_pack', payload }], requestId);
      return readCounts(trx, pack.id);
    });
  }
}

/** Not counted in this window yet, and the address has not had its share. */
async function mayCount(db: Database['knex'], row: InteractionRow): Promise<boolean> {
  return !(await hasInteraction(db, row)) && (await countFromAddress(db, row)) < maxPerAddress;
}

function packNotFound(packKey: string): AppError {
  return new AppError('pack-not-found', `There is no pack "${packKey}".`);
}

export type Engagement = ReturnType<typeof createEngagement>;
