/**
 * The page of one pack: what the server draws is drawn by the server only. After each change, and while stickers are being made ready,
 * the page is fetched again, and of it what has changed is put in place; pictures that are there stay.
 */
import { findingItems } from './findings-list.ts';
import type { OwnerApi } from './owner-api.ts';
import type { Say } from './owner-status.ts';
import { startPackWords } from './pack-forms.ts';
import { startStickerOrder } from './sticker-order.ts';
import { startStickerUploads } from './sticker-uploads.ts';

const lookAgainMs = 2_000;
/** After an answer that did not come or came too late; doubled each time, so that a lost connection is not hammered. */
const lookSoonMs = 500;
const soonLooks = 5;
/** What is not ready by then is shown when the page is loaded the next time. */
const looksWithoutChange = 60;

export function startOwnedPack(root: HTMLElement, { api, say }: { api: OwnerApi; say: Say }): void {
  const article = root.querySelector<HTMLElement>('[data-owned-pack]');
  const list = root.querySelector<HTMLElement>('[data-stickers]');
  if (!article || !list) return;
  const packPath = `/api/sticker-packs/${article.dataset.ownedPack ?? ''}`;
  const deps = { api, say, packPath, refresh };
  const order = startStickerOrder(list, deps);
  startStickerUploads(article, deps);
  startPackWords(article, deps);
  startPublishing(article, deps);
  let looks = 0;
  let missed = 0;
  let timer = 0;
  let newest = 0;
  let newestLook = Promise.resolve();
  lookAgain();

  /** Never rejects; has come to its end when the newest answer has. */
  function refresh(): Promise<void> {
    missed = 0;
    return look();
  }

  function look(): Promise<void> {
    clearTimeout(timer);
    newest += 1;
    newestLook = fetchAndDraw(newest);
    return newestLook;
  }

  async function fetchAndDraw(number: number): Promise<void> {
    const changesBefore = order.changes();
    const page = await fetchPage();
    // Answers come in any order; the one that was asked for last knows the most.
    if (number !== newest) return newestLook;
    // What was moved since it was asked for is newer than the answer.
    if (page === null || order.isChanging() || order.changes() !== changesBefore) {
      missed += 1;
    } else {
      missed = 0;
      draw(page);
    }
    lookAgain();
  }

  function draw(page: Document): void {
    const fresh = page.querySelector<HTMLElement>('[data-stickers]');
    // Signed out meanwhile.
    if (!fresh || !list || !article) return;
    if (putInPlace(list, fresh)) looks = 0;
    order.markEnds();
    putHeadInPlace(article, page);
  }

  function lookAgain(): void {
    clearTimeout(timer);
    const isSoon = missed > 0 && missed <= soonLooks;
    const isPending = list?.querySelector('[data-status="pending"]') && looks < looksWithoutChange;
    if (!isSoon && !isPending) return;
    timer = setTimeout(
      () => {
        // Its answer would be thrown away.
        if (order.isChanging()) return lookAgain();
        if (!isSoon) looks += 1;
        void look();
      },
      isSoon ? lookSoonMs * 2 ** (missed - 1) : lookAgainMs,
    );
  }
}

/** Null: no answer, none that is a page, or one that broke off. */
async function fetchPage(): Promise<Document | null> {
  try {
    const answer = await fetch(location.href, { headers: { Accept: 'text/html' } });
    return answer.ok ? new DOMParser().parseFromString(await answer.text(), 'text/html') : null;
  } catch {
    return null;
  }
}

/** Whether anything was different. */
function putInPlace(list: HTMLElement, fresh: HTMLElement): boolean {
  const known = new Map([...list.children].map((item) => [(item as HTMLElement).dataset.sticker, item as HTMLElement]));
  let isChanged = list.children.length !== fresh.children.length;
  const wanted = ([...fresh.children] as HTMLElement[]).map((item) => {
    const before = known.get(item.dataset.sticker);
    if (before?.dataset.state === item.dataset.state) return before as HTMLElement;
    isChanged = true;
    before?.replaceWith(item);
    return item;
  });
  wanted.forEach((item, index) => {
    // Nothing is moved that stands right: moving takes the focus away.
    if (list.children[index] === item) return;
    isChanged = true;
    list.insertBefore(item, list.children[index] ?? null);
  });
  while (list.children.length > wanted.length) list.lastElementChild?.remove();
  const none = document.querySelector<HTMLElement>('[data-no-stickers]');
  if (none) none.hidden = wanted.length > 0;
  return isChanged;
}

function putHeadInPlace(article: HTMLElement, page: Document): void {
  const [head, fresh] = [article, page].map((one) => one.querySelector<HTMLElement>('[data-pack-head]'));
  if (head && fresh && head.innerHTML !== fresh.innerHTML) head.replaceWith(fresh);
}

function startPublishing(
  article: HTMLElement,
  { api, say, packPath, refresh }: { api: OwnerApi; say: Say; packPath: string; refresh: () => Promise<void> },
): void {
  article.addEventListener('click', (event) => {
    const button = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-publish]') : null;
    if (!button || button.getAttribute('aria-disabled') === 'true') return;
    button.setAttribute('aria-disabled', 'true');
    void publish(button).finally(() => button.removeAttribute('aria-disabled'));
  });

  async function publish(button: HTMLElement): Promise<void> {
    const answer = await api.call('POST', `${packPath}/publish`).catch(() => null);
    if (answer?.isOk !== true) return say.problem(answer);
    const list = article.querySelector<HTMLElement>('[data-pack-findings]');
    list?.replaceChildren(...findingItems(answer.body.data?.findings ?? [], list.dataset.mended ?? ''));
    await refresh();
    // The button is gone; its place is where one goes on.
    article.querySelector<HTMLElement>('[data-pack-head]')?.focus();
    say(button.dataset.done);
  }
}
