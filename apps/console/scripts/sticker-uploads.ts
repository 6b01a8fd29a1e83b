/** Files that were chosen or dropped go to the API one after the other, so that they stand in the pack as they were chosen. */
import { findingItems, problemItems } from './findings-list.ts';
import type { ApiAnswer, OwnerApi } from './owner-api.ts';
import type { Say } from './owner-status.ts';

type Deps = { api: OwnerApi; say: Say; packPath: string; refresh: () => Promise<void> };
type Upload = { file: File; row: HTMLElement; state: HTMLElement; progress: HTMLProgressElement };

export function startStickerUploads(article: HTMLElement, { api, say, packPath, refresh }: Deps): void {
  const zone = article.querySelector<HTMLElement>('[data-drop-zone]');
  const input = article.querySelector<HTMLInputElement>('[data-files]');
  const list = article.querySelector<HTMLElement>('[data-uploads]');
  if (!zone || !input || !list) return;
  const words = list.dataset;
  const waiting: Upload[] = [];
  let isSending = false;
  let [taken, refused] = [0, 0];

  input.addEventListener('change', () => {
    add([...(input.files ?? [])]);
    // The same file may be chosen again.
    input.value = '';
  });
  // Anywhere: a file that misses the zone would otherwise be opened in place of the page.
  document.addEventListener('dragover', (event) => {
    if (event.dataTransfer?.types.includes('Files') !== true) return;
    event.preventDefault();
    zone.classList.add('is-over');
  });
  document.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) zone.classList.remove('is-over');
  });
  document.addEventListener('drop', (event) => {
    if (event.dataTransfer?.types.includes('Files') !== true) return;
    event.preventDefault();
    zone.classList.remove('is-over');
    add([...event.dataTransfer.files]);
  });

  function add(files: File[]): void {
    waiting.push(...files.map(drawUpload));
    list?.append(...waiting.map(({ row }) => row));
    if (!isSending) void sendAll();
  }

  async function sendAll(): Promise<void> {
    isSending = true;
    [taken, refused] = [0, 0];
    try {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const answer = await send(next);
        show(next, answer);
        if (answer?.isOk === true) await refresh();
        if (answer?.status === 401) say.problem(answer);
      }
    } finally {
      // Otherwise files that are chosen later would wait for ever.
      isSending = false;
    }
    say((words.summary ?? '').replace('{taken}', String(taken)).replace('{refused}', String(refused)));
  }

  async function send({ file, state, progress }: Upload): Promise<ApiAnswer | null> {
    return api
      .upload(`${packPath}/stickers`, file, (share) => {
        if (share < 1) progress.value = share;
        else progress.removeAttribute('value');
        const percent = String(Math.floor(share * 100));
        state.textContent = (share < 1 ? words.sending?.replace('{percent}', percent) : words.checking) ?? '';
      })
      .catch(() => null);
  }

  function show({ row, state, progress }: Upload, answer: ApiAnswer | null): void {
    progress.remove();
    const isTaken = answer?.isOk === true;
    if (isTaken) taken += 1;
    else refused += 1;
    row.classList.add(isTaken ? 'is-taken' : 'is-refused');
    state.textContent =
      (answer === null ? words.failed : !isTaken ? words.refused : answer.status === 200 ? words.known : words.taken) ??
      '';
    if (answer === null) return;
    const findings = document.createElement('ul');
    findings.className = 'findings';
    findings.append(
      ...(isTaken ? findingItems(answer.body.data?.findings ?? [], words.mended ?? '') : problemItems(answer)),
    );
    if (findings.children.length > 0) row.append(findings);
  }

  function drawUpload(file: File): Upload {
    const row = document.createElement('li');
    const [name, state] = [document.createElement('span'), document.createElement('span')];
    const progress = document.createElement('progress');
    row.className = 'upload';
    name.className = 'upload-name';
    state.className = 'upload-state';
    name.textContent = file.name;
    state.textContent = words.waiting ?? '';
    progress.max = 1;
    progress.value = 0;
    progress.setAttribute('aria-label', file.name);
    row.append(name, state, progress);
    return { file, row, state, progress };
  }
}
