/** Forms that make a pack and change its words. */
import type { OwnerApi } from './owner-api.ts';
import type { Say } from './owner-status.ts';

type Deps = { api: OwnerApi; say: Say };

/** The new pack's page is next. */
export function startNewPack(root: HTMLElement, { api, say }: Deps): void {
  const form = root.querySelector<HTMLFormElement>('form[data-new-pack]');
  if (!form) return;
  onSubmit(form, async () => {
    const answer = await api.call('POST', '/api/sticker-packs', fieldsOf(form)).catch(() => null);
    const packKey = answer?.body.data?.pack_key;
    if (answer?.isOk === true && packKey !== undefined)
      location.assign((form.dataset.newPack ?? '').replace('{packKey}', packKey));
    else say.problem(answer);
  });
}

export function startPackWords(
  root: HTMLElement,
  { api, say, packPath, refresh }: Deps & { packPath: string; refresh: () => Promise<void> },
): void {
  const form = root.querySelector<HTMLFormElement>('form[data-edit-pack]');
  if (!form) return;
  onSubmit(form, async () => {
    const answer = await api.call('PATCH', packPath, fieldsOf(form)).catch(() => null);
    if (answer?.isOk !== true) return say.problem(answer);
    await refresh();
    say(form.dataset.saved);
  });
}

function fieldsOf(form: HTMLFormElement): Record<string, FormDataEntryValue> {
  return Object.fromEntries(new FormData(form));
}

/** One at a time: a second click while the first is on its way does nothing. */
function onSubmit(form: HTMLFormElement, work: () => Promise<void>): void {
  const button = form.querySelector<HTMLButtonElement>('button[type=submit]');
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (button?.getAttribute('aria-disabled') === 'true') return;
    button?.setAttribute('aria-disabled', 'true');
    void work().finally(() => button?.removeAttribute('aria-disabled'));
  });
}
