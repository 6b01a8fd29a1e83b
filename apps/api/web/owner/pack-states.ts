/** In which state a pack of the owner is, in words. */
import { html, type Content } from '../html.ts';
import type { PackSummary } from '../list-page-data.ts';
import type { PageContext } from '../page.ts';
import type { MessageKey } from '../translate.ts';

const moderationWords: Record<'held' | 'rejected' | 'taken_down', MessageKey> = {
  held: 'owner.held',
  rejected: 'owner.rejected',
  taken_down: 'owner.taken-down',
};
const visibilityWords: Record<PackSummary['visibility'], MessageKey> = {
  public: 'owner.public',
  unlisted: 'owner.unlisted',
  private: 'owner.private',
};

export function visibilityWord(context: PageContext, visibility: PackSummary['visibility']): string {
  return context.t(visibilityWords[visibility]);
}

export function packStates(context: PageContext, pack: PackSummary): Content {
  const { t } = context;
  const state = pack.moderation?.state ?? 'approved';
  return html`
    <ul class="states" role="list" aria-label=${t('owner.state')}>
      <li class=${`state ${pack.status}`}>${t(pack.status === 'draft' ? 'owner.draft' : 'owner.published')}</li>
      <li class="state">${visibilityWord(context, pack.visibility)}</li>
      ${state === 'approved' ? null : html`<li class="state warned">${t(moderationWords[state])}</li>`}
    </ul>
  `;
}

/** Whether a visitor who has its address sees it. */
export function isShownToVisitors(pack: PackSummary): boolean {
  const isApproved = pack.moderation === undefined || pack.moderation.state === 'approved';
  return pack.status === 'published' && pack.visibility !== 'private' && isApproved;
}
