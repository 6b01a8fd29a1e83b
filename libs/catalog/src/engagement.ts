/**
 * Opens, likes and dislikes: one per viewer and window, capped per network address, counted in the client's own transaction.
 * Viewers are known only by a keyed hash; the key never leaves the database.
 */
import { AppError, type Database, type Wakeups } from '@omnizap/runtime';
import { outboxTopic } from '@omnizap/outbox';
import { announce } from './announce.ts';
import {
  countFromAddress,
  countInteraction,
  insertInteraction,
  keyedHash,
  sharedSecret,
  type Interaction,
} from './engagement-store.ts';
import { findPackByKey } from './pack-store.ts';
import { isReachable } from './packs.ts';
import type { EngagementCounts } from './ranking-formulas.ts';
import { readPackViews } from './catalogue-store.ts';

const windowMs: Record<Interaction, number> = { open: 30 * 60_000, like: 24 * 3_600_000, dislike: 24 * 3_600_000 };
/** Viewers behind one address that count per pack, interaction and window: a household or an office, not a crowd of made-up keys. */
const maxPerAddress = 20;
const secretName = 'viewer-hash-key';

export type Viewer = { key: string; address: string };

export function createEngagement(deps: { database: Database; wakeups: Wakeups }) {
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
      const key = await viewerSecret();
      const { packId, isCounted } = await database.transaction(async (trx) => {
        const pack = await findPackByKey(trx, packKey, { lock: true });
        if (!pack || !isReachable(pack)) throw new AppError('pack-not-found', `There is no pack "${packKey}".`);
        const row = {
          packId: pack.id,
          interaction,
          viewerHash: keyedHash(key, 'viewer', viewer.key),
          addressHash: keyedHash(key, 'address', viewer.address),
          windowNumber: Math.floor(Date.now() / windowMs[interaction]),
        };
        if ((await countFromAddress(trx, row)) >= maxPerAddress) return { packId: pack.id, isCounted: false };
        if (!(await insertInteraction(trx, database.kind, row))) return { packId: pack.id, isCounted: false };
        await countInteraction(trx, database.kind, pack.id, interaction);
        await announce(
          trx,
          database.kind,
          [
            {
              type: 'ENGAGEMENT_RECORDED',
              aggregateType: 'sticker_pack',
              payload: { pack_id: pack.id, action: interaction },
            },
          ],
          requestId,
        );
        return { packId: pack.id, isCounted: true };
      });
      if (isCounted) wakeups.notify(outboxTopic);
      const [view] = await readPackViews(database.knex, [packId]);
      if (!view) throw new AppError('pack-not-found', `There is no pack "${packKey}".`);
      const { open, like, dislike, download } = view.engagement;
      return { open, like, dislike, download };
    },
  };
}

export type Engagement = ReturnType<typeof createEngagement>;
