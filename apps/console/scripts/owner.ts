/** What the pages of a signed-in owner do. All changes are requests to the API; what it says is shown in its own words. */
import { createOwnerApi } from './owner-api.ts';
import { createSay } from './owner-status.ts';
import { startOwnedPack } from './owned-pack.ts';
import { startNewPack } from './pack-forms.ts';

const root = document.querySelector<HTMLElement>('[data-csrf-token]');
if (root) {
  const say = createSay(root);
  const api = createOwnerApi(root.dataset.csrfToken ?? '');
  startNewPack(root, { api, say });
  startOwnedPack(root, { api, say });
}
