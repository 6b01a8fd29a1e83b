/**
 * The part of the public HTTP API that the demo needs. An API that restarts or is busy is asked again, with backoff; what it
 * refuses is an error at once. All requests may be repeated: the API counts viewers once and knows bytes it has.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '@omnizap/runtime';
import { z } from 'zod';

/** With doubling pauses from `firstPauseMs`: about 16 s, longer than a supervised API needs to come back. */
const maxAttempts = 8;
const firstPauseMs = 250;
const maxPauseMs = 4_000;
const requestTimeoutMs = 20_000;
const pageLimit = 60;

const summarySchema = z.object({
  pack_key: z.string(),
  status: z.enum(['draft', 'published']),
  sticker_count: z.int(),
  tags: z.array(z.string()),
});
const stickerSchema = z.object({
  accessibility_label: z.string().nullable(),
  status: z.enum(['pending', 'ready', 'rejected']),
  is_animated: z.boolean(),
  classification: z.object({ category: z.string() }).nullable(),
});
const detailSchema = z.object({ data: summarySchema.extend({ stickers: z.array(stickerSchema) }) });
const pageSchema = z.object({
  data: z.array(summarySchema),
  pagination: z.object({ next_cursor: z.string().nullable() }),
});
const createdSchema = z.object({ data: z.object({ pack_key: z.string() }) });
const problemSchema = z.object({ code: z.string(), detail: z.string() });

export type PackSummary = z.output<typeof summarySchema>;
export type PackDetail = z.output<typeof detailSchema>['data'];
export type NewPack = { name: string; publisher: string; description: string; tags: string[] };
export type NewSticker = { bytes: Buffer; contentType: string; emojis: string[]; label: string };

export type ApiClient = ReturnType<typeof createApiClient>;

type ClientOptions = { baseUrl: string; ownerKey: string; signal: AbortSignal; firstPauseMs?: number };

type Answer = { status: number; body: unknown };

/**
 * All functions throw AppError `unavailable` when the API stays out of reach, `bad-request` with its words when it refuses, and the
 * signal's reason when that is aborted.
 */
export function createApiClient(options: ClientOptions) {
  const asOwner = { authorization: `Bearer ${options.ownerKey}` };

  async function ask(method: 'GET' | 'POST', path: string, init: RequestInit): Promise<Answer> {
    let lastProblem = '';
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      if (attempt > 0)
        await delay(pauseMs(attempt, options.firstPauseMs ?? firstPauseMs), undefined, { signal: options.signal });
      const outcome = await tryOnce(method, path, init);
      if (typeof outcome !== 'string') return outcome;
      lastProblem = outcome;
    }
    throw new AppError(
      'unavailable',
      `The API at ${options.baseUrl} does not answer ${method} ${path} (${lastProblem}). Is it running?`,
    );
  }

  /** The answer, or why it is worth another attempt. */
  async function tryOnce(method: string, path: string, init: RequestInit): Promise<Answer | string> {
    try {
      const signal = AbortSignal.any([options.signal, AbortSignal.timeout(requestTimeoutMs)]);
      const response = await fetch(new URL(path, options.baseUrl), { ...init, method, signal });
      const text = await response.text();
      if (response.status === 429 || response.status >= 500) return `status ${response.status}`;
      return { status: response.status, body: text === '' ? null : (JSON.parse(text) as unknown) };
    } catch (error) {
      options.signal.throwIfAborted();
      return reasonOf(error);
    }
  }

  async function expect<T>(schema: z.ZodType<T>, method: 'GET' | 'POST', path: string, init: RequestInit): Promise<T> {
    const { status, body } = await ask(method, path, init);
    if (status >= 200 && status < 300) return schema.parse(body);
    const problem = problemSchema.safeParse(body).data;
    throw new AppError(
      'bad-request',
      `The API refused ${method} ${path}: ${status} ${problem?.code ?? ''}: ${problem?.detail ?? ''}`,
    );
  }

  return {
    /** Every pack of the published ranking, best first. */
    async listPacks(): Promise<PackSummary[]> {
      const packs: PackSummary[] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const query = new URLSearchParams({ limit: String(pageLimit), ...(cursor === '' ? {} : { cursor }) });
        const page: z.output<typeof pageSchema> = await expect(
          pageSchema,
          'GET',
          `/api/sticker-packs?${query.toString()}`,
          {},
        );
        packs.push(...page.data);
        cursor = page.pagination.next_cursor;
      }
      return packs;
    },

    async createPack(pack: NewPack, idempotencyKey: string): Promise<string> {
      const headers = { ...asOwner, 'content-type': 'application/json', 'idempotency-key': idempotencyKey };
      const created = await expect(createdSchema, 'POST', '/api/sticker-packs', {
        headers,
        body: JSON.stringify(pack),
      });
      return created.data.pack_key;
    },

    /** As its owner sees it, or null when there is no such pack. */
    async getPack(packKey: string): Promise<PackDetail | null> {
      const path = `/api/sticker-packs/${packKey}`;
      const { status, body } = await ask('GET', path, { headers: asOwner });
      if (status === 404) return null;
      if (status === 200) return detailSchema.parse(body).data;
      throw new AppError(
        'bad-request',
        `The API refused GET ${path}: ${status} ${problemSchema.safeParse(body).data?.detail ?? ''}`,
      );
    },

    async addSticker(packKey: string, sticker: NewSticker): Promise<void> {
      const form = new FormData();
      form.set('emojis', JSON.stringify(sticker.emojis));
      form.set('accessibility_label', sticker.label);
      form.set('file', new Blob([new Uint8Array(sticker.bytes)], { type: sticker.contentType }), 'sticker');
      await expect(z.unknown(), 'POST', `/api/sticker-packs/${packKey}/stickers`, { headers: asOwner, body: form });
    },

    async publish(packKey: string): Promise<void> {
      await expect(z.unknown(), 'POST', `/api/sticker-packs/${packKey}/publish`, { headers: asOwner });
    },

    async engage(packKey: string, interaction: 'open' | 'like', viewerKey: string): Promise<void> {
      await expect(z.unknown(), 'POST', `/api/sticker-packs/${packKey}/${interaction}`, {
        headers: { 'x-viewer-key': viewerKey },
      });
    },
  };
}

/** Doubled each time, and a little different for each client, so that they do not come back together. */
function pauseMs(attempt: number, firstMs: number): number {
  return Math.min(maxPauseMs, firstMs * 2 ** (attempt - 1)) * (0.75 + Math.random() / 2);
}

/** `fetch failed` says nothing; its cause does. */
function reasonOf(error: unknown): string {
  const { cause, message } = error as Error;
  const { code } = (cause ?? {}) as NodeJS.ErrnoException;
  return code ?? message;
}
