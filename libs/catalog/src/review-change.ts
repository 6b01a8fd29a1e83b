/**
 * What a change by its owner means for who may see a pack. Under the policy `hold` a pack waits for an administrator from the
 * moment it is published, and again after each change of what people would see in it.
 */
import type { DatabaseKind, Transaction } from '@omnizap/runtime';
import { setModeration } from './moderation-store.ts';
import type { Pack } from './pack-store.ts';

export const moderationPolicies = ['approve', 'hold'] as const;
export type ModerationPolicy = (typeof moderationPolicies)[number];

type Change = {
  /**
   * `edited`: a sticker came in or was replaced, or name, publisher, description, tags, emojis or labels changed, or the pack is
   * shown to more people. Not: what only takes away or moves (a sticker that leaves, the order, the cover, a narrower visibility).
   */
  kind: 'published' | 'edited';
  actor: { isAdmin: boolean };
  /** Default: approve. */
  policy?: ModerationPolicy | undefined;
};

/**
 * Holds the pack for review where the change asks for it. `pack` is as it was before the change, its row locked; call it in the
 * change's transaction, which announces the pack anyway.
 *
 * An administrator's own change needs nobody's approval. A rejected pack is reviewed again after a change whatever the policy; one
 * that was taken down stays so until an administrator restores it.
 */
export async function reviewChange(trx: Transaction, kind: DatabaseKind, pack: Pack, change: Change): Promise<void> {
  if (change.actor.isAdmin) return;
  if (change.kind === 'edited' && pack.status !== 'published') return;
  const needsReview = pack.moderation === 'rejected' || (pack.moderation === 'approved' && change.policy === 'hold');
  if (!needsReview) return;
  const what = change.kind === 'published' ? 'published' : 'changed';
  await setModeration(trx, kind, 'pack', pack.id, {
    state: 'held',
    reason: `Waiting for review since it was ${what}.`,
  });
}
