/**
 * Stickers are dragged to their place by mouse, finger or pen, or moved step by step with buttons. Each change is saved at once, the
 * last one wins; what could not be saved is taken back. Orders and removals go to the API one after the other: an order that names a
 * sticker that is gone by then would be refused.
 */
import type { ApiAnswer, OwnerApi } from './owner-api.ts';
import type { Say } from './owner-status.ts';

type Deps = { api: OwnerApi; say: Say; packPath: string; refresh: () => Promise<void> };

export function startStickerOrder(list: HTMLElement, { api, say, packPath, refresh }: Deps) {
  let dragged: HTMLElement | null = null;
  let before: string[] = [];
  /** Requests that wait or are on their way. */
  let running = 0;
  let lastRequest = Promise.resolve();
  let changes = 0;
  let newestSave = 0;
  let isSaveWaiting = false;

  const items = (): HTMLElement[] => [...list.children] as HTMLElement[];
  const ids = (): string[] => items().map((item) => item.dataset.sticker ?? '');

  function markEnds(): void {
    const all = items();
    all.forEach((item, index) => {
      for (const button of item.querySelectorAll<HTMLElement>('[data-move]')) {
        const isAtEnd = index === (Number(button.dataset.move) < 0 ? 0 : all.length - 1);
        if (isAtEnd) button.setAttribute('aria-disabled', 'true');
        else button.removeAttribute('aria-disabled');
      }
    });
  }

  function sayPlace(item: HTMLElement): void {
    const all = items();
    const place = list.dataset.moved ?? '';
    say(place.replace('{position}', String(all.indexOf(item) + 1)).replace('{count}', String(all.length)));
  }

  function inTurn(request: () => Promise<ApiAnswer | null>): Promise<ApiAnswer | null> {
    running += 1;
    const answered = lastRequest.then(request).catch(() => null);
    const ended = answered.finally(() => {
      running -= 1;
      changes += 1;
    });
    lastRequest = ended.then(() => undefined);
    return ended;
  }

  async function save(): Promise<void> {
    markEnds();
    changes += 1;
    // The one that waits sends the order as it is then.
    if (isSaveWaiting) return;
    isSaveWaiting = true;
    newestSave += 1;
    const number = newestSave;
    const answer = await inTurn(() => {
      isSaveWaiting = false;
      return api.call('PUT', `${packPath}/order`, { sticker_ids: ids() });
    });
    if (number !== newestSave) return;
    if (answer?.isOk === true) return say(list.dataset.saved);
    say.problem(answer);
    await refresh();
  }

  async function remove(item: HTMLElement, button: HTMLElement): Promise<void> {
    button.setAttribute('aria-disabled', 'true');
    changes += 1;
    const answer = await inTurn(async () => {
      const removal = await api.call('DELETE', `${packPath}/stickers/${item.dataset.sticker ?? ''}`);
      // Here, so that the order that is sent next does not name it.
      if (removal.isOk) takeOut(item);
      return removal;
    });
    if (answer?.isOk === true) {
      await refresh();
      return say(list.dataset.removed);
    }
    button.removeAttribute('aria-disabled');
    say.problem(answer);
    // Without an answer it may be gone all the same.
    await refresh();
  }

  function takeOut(item: HTMLElement): void {
    // A move of the pointer would put it back.
    if (dragged === item) letGo();
    const next = item.nextElementSibling ?? item.previousElementSibling;
    item.remove();
    next?.querySelector<HTMLElement>('[data-remove]')?.focus();
  }

  list.addEventListener('click', (event) => {
    const button = event.target instanceof Element ? event.target.closest<HTMLElement>('button') : null;
    const item = button?.closest<HTMLElement>('[data-sticker]');
    if (!button || !item || button.getAttribute('aria-disabled') === 'true') return;
    if (button.dataset.remove !== undefined) {
      // The second half of a double click may hit the sticker that has moved up.
      if (event.detail <= 1) void remove(item, button);
      return;
    }
    const isUp = Number(button.dataset.move) < 0;
    const neighbour = isUp ? item.previousElementSibling : item.nextElementSibling;
    if (!neighbour) return;
    // The neighbour moves: an element that is moved loses the focus.
    if (isUp) item.after(neighbour);
    else item.before(neighbour);
    sayPlace(item);
    void save();
  });

  list.addEventListener('pointerdown', (event) => {
    const handle = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-drag]') : null;
    // A finger on a picture scrolls.
    if (!handle || event.button !== 0 || (handle.dataset.drag === 'mouse' && event.pointerType !== 'mouse')) return;
    event.preventDefault();
    dragged = handle.closest<HTMLElement>('[data-sticker]');
    before = ids();
    dragged?.classList.add('is-dragged');
    list.setPointerCapture(event.pointerId);
  });
  list.addEventListener('pointermove', (event) => {
    if (!dragged) return;
    const under = document.elementFromPoint(event.clientX, event.clientY)?.closest<HTMLElement>('[data-sticker]');
    if (!under || under === dragged || under.parentElement !== list) return;
    const all = items();
    if (all.indexOf(under) > all.indexOf(dragged)) under.after(dragged);
    else under.before(dragged);
  });
  list.addEventListener('pointerup', () => {
    const item = dragged;
    if (!item) return;
    letGo();
    if (ids().join() === before.join()) return;
    sayPlace(item);
    void save();
  });
  list.addEventListener('pointercancel', () => {
    if (!dragged) return;
    letGo();
    const byId = new Map(items().map((item) => [item.dataset.sticker, item]));
    list.append(...before.map((id) => byId.get(id)).filter((item) => item !== undefined));
  });
  function letGo(): void {
    dragged?.classList.remove('is-dragged');
    dragged = null;
  }

  return {
    markEnds,
    isChanging: (): boolean => dragged !== null || running > 0,
    /** Another number than before: what was asked of the server in between may be older than what is shown. */
    changes: (): number => changes,
  };
}
