/** What a visitor of the owner's page sees there and drops on it, and what goes between the page and the API. */
import { waitFor, type Visit } from '@omnizap/testkit';

type File = { name: string; mimeType: string; buffer: Buffer };

export const patience = { timeoutMs: 60_000, intervalMs: 50 };

/** The ids of the stickers in the order in which they stand there. */
export const shown = async ({ page }: Visit): Promise<string[]> =>
  await page.evaluate<string[]>(`[...document.querySelectorAll('[data-sticker]')].map((one) => one.dataset.sticker)`);

export const says = async ({ page }: Visit, words: string | RegExp): Promise<void> =>
  await page.locator('[data-owner-status]', { hasText: words }).waitFor();

export async function drop({ page }: Visit, files: File[]): Promise<void> {
  const data = await page.evaluateHandle<DataTransfer>(`(() => {
    const data = new DataTransfer();
    for (const { name, mimeType, base64 } of ${JSON.stringify(
      files.map(({ buffer, ...file }) => ({ ...file, base64: buffer.toString('base64') })),
    )}) data.items.add(new File([Uint8Array.from(atob(base64), (one) => one.charCodeAt(0))], name, { type: mimeType }));
    return data;
  })()`);
  for (const type of ['dragenter', 'dragover', 'drop'])
    await page.dispatchEvent('[data-drop-zone]', type, { dataTransfer: data });
}

/** What is asked by then is done at once, but its answer waits for `release`. */
export async function holdAnswers({ page }: Visit, method: string, url: RegExp) {
  const held: (() => Promise<void>)[] = [];
  let isHolding = true;
  await page.route(url, async (route) => {
    if (!isHolding || route.request().method() !== method) return route.fallback();
    const response = await route.fetch();
    held.push(() => route.fulfill({ response }));
  });
  return {
    isReached: (): Promise<unknown> =>
      waitFor(() => held.length > 0, { ...patience, description: `${method} ${url} to be answered` }),
    async release(): Promise<void> {
      isHolding = false;
      await Promise.all(held.splice(0).map((letGo) => letGo()));
    },
  };
}

/** Methods and bodies of what changes something, from now on. */
export function requestsOf({ page }: Visit, url: RegExp): string[] {
  const requests: string[] = [];
  page.on('request', (request) => {
    if (request.method() !== 'GET' && url.test(request.url()))
      requests.push(`${request.method()} ${request.postData() ?? ''}`.trim());
  });
  return requests;
}
