/**
 * The next page of a list comes by itself before its end is reached. It is the same page that the link leads to: what the server
 * draws is drawn once. Whoever comes back from a pack finds the list as long as it was and where it was.
 */
type Place = { cards: string; pager: string; top: number };

/** How far below the screen the end of the list may be when the next page is fetched. */
const ahead = '600px';
/** A place is kept for the way back only; longer lists than this begin anew. */
const maxPlaceLength = 1_500_000;

export function startEndlessList(root: Document): void {
  const list = root.getElementById('packs');
  const pager = root.querySelector<HTMLElement>('[data-pager]');
  const status = root.querySelector<HTMLElement>('[data-list-status]');
  if (!list || !pager || !status) return;
  const placeKey = `place:${location.pathname}${location.search}`;
  const firstCount = list.childElementCount;
  let isLoading = false;

  const say = (text: string | undefined): void => {
    status.textContent = text ?? '';
  };

  async function loadNext(link: HTMLAnchorElement): Promise<void> {
    if (isLoading || !list || !pager || !status) return;
    isLoading = true;
    link.setAttribute('aria-disabled', 'true');
    say(status.dataset.loading);
    try {
      const answer = await fetch(link.href, { headers: { Accept: 'text/html' } });
      if (!answer.ok) throw new Error(`answered ${answer.status}`);
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      const cards = [...(page.getElementById('packs')?.querySelectorAll(':scope > .card') ?? [])];
      const known = new Set([...list.children].map((card) => (card as HTMLElement).dataset.pack));
      const fresh = cards.filter((card) => !known.has((card as HTMLElement).dataset.pack));
      list.append(...fresh);
      pager.replaceChildren(...(page.querySelector('[data-pager]')?.childNodes ?? []));
      say(status.dataset.loaded?.replace('{count}', String(fresh.length)));
      watch();
    } catch {
      // The link stays: a click tries again, and without a script it would lead on just as well.
      link.removeAttribute('aria-disabled');
      say(status.dataset.failed);
    } finally {
      isLoading = false;
    }
  }

  const observer = new IntersectionObserver(
    (entries) => {
      const link = pager.querySelector('a');
      if (link && entries.some((entry) => entry.isIntersecting)) void loadNext(link);
    },
    { rootMargin: `0px 0px ${ahead} 0px` },
  );
  /** Anew after each page: an observer speaks up about changes only, and a short page may leave the end in sight. */
  function watch(): void {
    observer.disconnect();
    if (pager?.querySelector('a')) observer.observe(pager);
  }

  pager.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    void loadNext(link);
  });

  const [navigation] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
  const place = navigation?.type === 'back_forward' ? readPlace(placeKey) : null;
  if (place) {
    const parsed = new DOMParser().parseFromString(`<ul>${place.cards}</ul><p>${place.pager}</p>`, 'text/html');
    list.append(...(parsed.querySelector('ul')?.children ?? []));
    pager.replaceChildren(...(parsed.querySelector('p')?.childNodes ?? []));
    history.scrollRestoration = 'manual';
    scrollTo({ top: place.top, behavior: 'instant' });
  }
  watch();

  addEventListener('pagehide', () => {
    const added = [...list.children].slice(firstCount);
    const cards = added.map((card) => card.outerHTML).join('');
    writePlace(placeKey, { cards, pager: pager.innerHTML, top: scrollY });
  });
}

function readPlace(key: string): Place | null {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? 'null') as Place | null;
  } catch {
    return null;
  }
}

function writePlace(key: string, place: Place): void {
  try {
    const text = JSON.stringify(place);
    if (text.length <= maxPlaceLength) sessionStorage.setItem(key, text);
    else sessionStorage.removeItem(key);
  } catch {
    // Storage is full or forbidden: the list begins anew.
  }
}
