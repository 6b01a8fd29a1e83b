/** Forms that make a pack and change its words. Without this script they are disabled: there is nothing that they could be sent to. */
import type { ApiAnswer, OwnerApi } from './owner-api.ts';
import type { Say } from './owner-status.ts';

type Deps = { api: OwnerApi; say: Say };
type Field = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

/** The new pack's page is next. */
export function startNewPack(root: HTMLElement, { api, say }: Deps): void {
  const form = root.querySelector<HTMLFormElement>('form[data-new-pack]');
  if (!form) return;
  let sent: { words: string; key: string } | null = null;
  onSubmit(form, async () => {
    const fields = valuesOf(fieldsOf(form));
    const words = JSON.stringify(fields);
    // An answer that was lost is asked for again with the same key: one pack comes of it.
    if (sent?.words !== words) sent = { words, key: createKey() };
    const headers = { 'Idempotency-Key': sent.key };
    const answer = await api.call('POST', '/api/sticker-packs', fields, headers).catch(() => null);
    const packKey = answer?.body.data?.pack_key;
    const isMade = answer?.isOk === true && packKey !== undefined;
    if (isMade || isRefusal(answer)) sent = null;
    if (isMade) location.assign((form.dataset.newPack ?? '').replace('{packKey}', packKey));
    else say.problem(answer);
    return { isLeaving: isMade };
  });
}

export function startPackWords(
  root: HTMLElement,
  { api, say, packPath, refresh }: Deps & { packPath: string; refresh: () => Promise<void> },
): void {
  const form = root.querySelector<HTMLFormElement>('form[data-edit-pack]');
  if (!form) return;
  onSubmit(form, async () => {
    // The others may have been changed elsewhere since the page was loaded.
    const changed = fieldsOf(form).filter(isChanged);
    const values = valuesOf(changed);
    if (changed.length > 0) {
      const answer = await api.call('PATCH', packPath, values).catch(() => null);
      if (answer?.isOk !== true) {
        say.problem(answer);
        return { isLeaving: false };
      }
      for (const field of changed) keepAsSaved(field, values[field.name] ?? '');
      await refresh();
    }
    say(form.dataset.saved);
    return { isLeaving: false };
  });
}

function fieldsOf(form: HTMLFormElement): Field[] {
  return [...form.querySelectorAll<Field>('input, textarea, select')];
}

function valuesOf(fields: Field[]): Record<string, string> {
  return Object.fromEntries(fields.map(({ name, value }) => [name, value]));
}

function isChanged(field: Field): boolean {
  if (!(field instanceof HTMLSelectElement)) return field.value !== field.defaultValue;
  return [...field.options].some(({ selected, defaultSelected }) => selected !== defaultSelected);
}

/** What was typed since it was sent stays, and is a change. */
function keepAsSaved(field: Field, saved: string): void {
  const { value } = field;
  if (field instanceof HTMLSelectElement)
    for (const option of field.options) option.defaultSelected = option.value === saved;
  else field.defaultValue = saved;
  field.value = value;
}

/** By the API, and before anything was made: not by a proxy on the way, and not because the first try is under way or done. */
function isRefusal(answer: ApiAnswer | null): boolean {
  const code = answer?.body.code;
  if (answer === null || code === undefined || answer.status >= 500) return false;
  return answer.status >= 400 && code !== 'request-in-flight' && code !== 'answer-lost';
}

/** `crypto.randomUUID` is there over TLS only. */
function createKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** One at a time: a second click while the first is on its way, or while the next page loads, does nothing. */
function onSubmit(form: HTMLFormElement, work: () => Promise<{ isLeaving: boolean }>): void {
  const button = form.querySelector<HTMLButtonElement>('button[type=submit]');
  const enable = (): void => button?.removeAttribute('aria-disabled');
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (button?.getAttribute('aria-disabled') === 'true') return;
    button?.setAttribute('aria-disabled', 'true');
    void work().then(({ isLeaving }) => {
      if (!isLeaving) enable();
    }, enable);
  });
  // Back from the next page, on this one as it was left.
  addEventListener('pageshow', ({ persisted }) => {
    if (persisted) enable();
  });
  form.querySelector('fieldset')?.removeAttribute('disabled');
}
