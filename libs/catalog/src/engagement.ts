/**
 * Opens, likes, dislikes and downloads: one per viewer and window, capped per network address, counted in the client's own
 * transaction. A like takes the place of the viewer's dislike of the same window, and the other way round. Viewers are known only by
 * a keyed hash; the key never leaves the database. When in doubt it counts too little: a cap that is too tight loses a like, one that
 * is not held sells the ranking.
 */
import { AppError, type Database, type Wakeups } from '@omnizap/runtime';
import { outboxTopic } from '@omnizap/outbox';
import { announce, type AnnounceDeps } from './announce.ts';
import {
  countFromAddress,
  countInteraction,
  insertInteraction,
  keyedHash,
  readCounts,
  readStanding,
  recentInteractionsOfViewer,
  replaceInteraction,
  sharedSecret,
  type Interaction,
  type InteractionRow,
  type ViewerInteraction,
} from './engagement-store.ts';
import { countOnDay } from './interaction-day-store.ts';
import { findPackByKey } from './pack-store.ts';
import { isReachable } from './packs.ts';
import type { EngagementCounts } from './ranking-formulas.ts';

const dayMs = 24 * 3_600_000;
/** Those that take each other's place need windows of the same length. */
const windowMs: Record<Interaction, number> = { open: 30 * 60_000, like: dayMs, dislike: dayMs, download: dayMs };
/**
 * Viewers behind one address that count per pack, kind of interaction and window, likes and dislikes together: a household or an
 * office, not a crowd of made-up keys.
 */
const maxPerAddress = 20;
const secretName = 'viewer-hash-key';
/** Enough to know a taste by, few enough to read on every page. */
const affinityRows = 100;

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
        viewerHash: viewerHash(key, viewer),
        addressHash: keyedHash(key, 'address', viewer.address),
        windowNumber: Math.floor(Date.now() / windowMs[interaction]),
      };
      // Without a lock first: whoever repeats himself must not queue up at the pack's row.
      const isChange = (await changeOf(database.knex, row)) !== null;
      const counted = isChange ? await count(packKey, row, requestId) : null;
      if (counted) wakeups.notify(outboxTopic);
      return counted ?? readCounts(database.knex, seen.id);
    },

    /** What the viewer opened, rated or downloaded last, the newest first: at most 100, of packs reachable or not. */
    async affinityOf(viewer: Pick<Viewer, 'key'>): Promise<ViewerInteraction[]> {
      return recentInteractionsOfViewer(database.knex, viewerHash(await viewerSecret(), viewer), affinityRows);
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
      const change = await changeOf(trx, row, true);
      if (!change) return null;
      const { former } = change;
      if (former !== null) await replaceInteraction(trx, row, former);
      else if (!(await insertInteraction(trx, database.kind, row))) return null;
      await countInteraction(trx, database.kind, pack.id, row.interaction, former);
      await countOnDay(trx, database.kind, row, former);
      const payload = { pack_id: pack.id, action: row.interaction };
      await announce(trx, deps, [{ type: 'ENGAGEMENT_RECORDED', aggregateType: 'sticker_pack', payload }], requestId);
      return readCounts(trx, pack.id);
    });
  }
}

/**
 * What the interaction changes: nothing when it stands already or the address has had its share; else it is new, or takes the place
 * of `former`, for which no share is needed. Right only under the pack's lock.
 */
async function changeOf(
  db: Database['knex'],
  row: InteractionRow,
  lock = false,
): Promise<{ former: Interaction | null } | null> {
  const standing = await readStanding(db, row, lock);
  if (standing.includes(row.interaction)) return null;
  const [former = null] = standing;
  return former !== null || (await countFromAddress(db, row)) < maxPerAddress ? { former } : null;
}

function viewerHash(secret: string, viewer: Pick<Viewer, 'key'>): string {
  return keyedHash(secret, 'viewer', viewer.key);
}

function packNotFound(packKey: string): AppError {
  return new AppError('pack-not-found', `There is no pack "${packKey}".`);
}

export type Engagement = ReturnType<typeof createEngagement>;
