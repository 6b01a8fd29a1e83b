/** A pack's page: it is counted as opened once, and a like shows at once and is taken back when it could not be counted. */
type Counts = { open: number; like: number };

/** As long as the server counts one like of a visitor. */
const likedForMs = 24 * 3_600_000;

export function startPackActions(root: Document): void {
  const form = root.querySelector<HTMLFormElement>('form[data-like]');
  const packKey = form?.dataset.like;
  if (!form || packKey === undefined) return;
  void record(packKey, 'open').catch(() => undefined);

  const button = form.querySelector<HTMLButtonElement>('button');
  const count = form.querySelector<HTMLElement>('[data-like-count]');
  const status = root.querySelector<HTMLElement>('[data-like-status]');
  if (!button || !count || !status) return;
  const label = button.querySelector<HTMLElement>('[data-like-label]');
  const show = (isLiked: boolean): void => {
    button.setAttribute('aria-pressed', String(isLiked));
    if (label) label.textContent = (isLiked ? form.dataset.liked : form.dataset.unliked) ?? '';
  };
  if (isLiked(packKey)) show(true);
  else button.setAttribute('aria-pressed', 'false');

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (button.getAttribute('aria-pressed') === 'true') return;
    const before = count.dataset.value ?? '0';
    show(true);
    setCount(count, Number(before) + 1);
    record(packKey, 'like').then(
      (counts) => {
        setCount(count, counts.like);
        keepLiked(packKey);
        status.textContent = form.dataset.thanks ?? '';
      },
      () => {
        show(false);
        setCount(count, Number(before));
        status.textContent = form.dataset.failed ?? '';
      },
    );
  });
}

async function record(packKey: string, interaction: 'open' | 'like'): Promise<Counts> {
  const answer = await fetch(`/api/sticker-packs/${packKey}/${interaction}`, { method: 'POST' });
  if (!answer.ok) throw new Error(`answered ${answer.status}`);
  const { data } = (await answer.json()) as { data: { engagement: Counts } };
  return data.engagement;
}

function setCount(element: HTMLElement, value: number): void {
  element.dataset.value = String(value);
  element.textContent = value.toLocaleString(document.documentElement.lang);
}

function isLiked(packKey: string): boolean {
  try {
    return Date.now() - Number(localStorage.getItem(`liked:${packKey}`) ?? 0) < likedForMs;
  } catch {
    return false;
  }
}

function keepLiked(packKey: string): void {
  try {
    localStorage.setItem(`liked:${packKey}`, String(Date.now()));
  } catch {
    // Storage is full or forbidden: the server still counts once.
  }
}
