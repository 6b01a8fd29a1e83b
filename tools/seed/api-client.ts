/**
 * The part of the public HTTP API that the demo needs. An API that restarts or is busy is asked again, with backoff; what it
 * refuses is an error at once. All requests may be repeated: the API counts viewers once and knows bytes it has.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { createClient, ProblemError } from '@omnizap/client';
import type { GetPackAnswer, PackSummary } from '@omnizap/client';
import { AppError } from '@omnizap/runtime';

/** With doubling pauses from `firstPauseMs`: about 16 s, longer than a supervised API needs to come back. */
const maxAttempts = 8;
const firstPauseMs = 250;
const maxPauseMs = 4_000;
const requestTimeoutMs = 20_000;
const pageLimit = 60;

export type PackDetail = Extract<GetPackAnswer, { status: 200 }>['body']['data'];
export type NewPack = { name: string; publisher: string; description: string; tags: string[] };
export type NewSticker = { bytes: Buffer; contentType: string; emojis: string[]; label: string };

export type ApiClient = ReturnType<typeof createApiClient>;

type ClientOptions = { baseUrl: string; ownerKey: string; signal: AbortSignal; firstPauseMs?: number };

/**
 * All functions throw AppError `unavailable` when the API stays out of reach, `bad-request` with its words when it refuses, and the
 * signal's reason when that is aborted.
 */
export function createApiClient(options: ClientOptions) {
  const client = createClient({ baseUrl: options.baseUrl, key: options.ownerKey, fetch: fetchPatiently });

  async function fetchPatiently(...[input, init]: Parameters<typeof fetch>): Promise<Response> {
    let lastProblem = '';
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      if (attempt > 0)
        await delay(pauseMs(attempt, options.firstPauseMs ?? firstPauseMs), undefined, { signal: options.signal });
      const outcome = await tryOnce(input, init);
      if (typeof outcome !== 'string') return outcome;
      lastProblem = outcome;
    }
    const asked = `${init?.method ?? 'GET'} ${new URL(input as URL).pathname}`;
    throw new AppError(
      'unavailable',
      `The API at ${options.baseUrl} does not answer ${asked} (${lastProblem}). Is it running?`,
    );
  }

  /** The whole answer, or why it is worth another attempt. */
  async function tryOnce(...[input, init]: Parameters<typeof fetch>): Promise<Response | string> {
    try {
      const signal = AbortSignal.any([options.signal, AbortSignal.timeout(requestTimeoutMs)]);
      const response = await fetch(input, { ...init, signal });
      const { status, headers } = response;
      // An answer that breaks off is found here, where it can be asked for again.
      const bytes = await response.arrayBuffer();
      if (status === 429 || status >= 500) return `status ${status}`;
      return new Response(bytes.byteLength === 0 ? null : bytes, { status, headers });
    } catch (error) {
      options.signal.throwIfAborted();
      return reasonOf(error);
    }
  }

  return {
    /** Every pack of the published ranking, best first. */
    async listPacks(): Promise<PackSummary[]> {
      const packs: PackSummary[] = [];
      for (let cursor: string | null | undefined; cursor !== null;) {
        const query = { limit: pageLimit, ...(cursor === undefined ? {} : { cursor }) };
        const page = contentOf(await told(client.listPacks({ query })));
        packs.push(...page.data);
        cursor = page.pagination.next_cursor;
      }
      return packs;
    },

    async createPack(pack: NewPack, idempotencyKey: string): Promise<string> {
      const once = { headers: { 'Idempotency-Key': idempotencyKey } };
      return contentOf(await told(client.createPack({ body: pack }, once))).data.pack_key;
    },

    /** As its owner sees it, or null when there is no such pack. */
    async getPack(packKey: string): Promise<PackDetail | null> {
      try {
        return contentOf(await client.getPack({ params: { packKey } })).data;
      } catch (error) {
        if (error instanceof ProblemError && error.status === 404) return null;
        throw refusalOf(error);
      }
    },

    async addSticker(packKey: string, { bytes, contentType, emojis, label }: NewSticker): Promise<void> {
      const file = new Blob([new Uint8Array(bytes)], { type: contentType });
      const form = { file, emojis: JSON.stringify(emojis), accessibility_label: label };
      await told(client.addSticker({ params: { packKey }, form }));
    },

    async publish(packKey: string): Promise<void> {
      await told(client.publishPack({ params: { packKey } }));
    },

    async engage(packKey: string, interaction: 'open' | 'like', viewerKey: string): Promise<void> {
      const input = { params: { packKey }, headers: { 'X-Viewer-Key': viewerKey } };
      await told(interaction === 'open' ? client.openPack(input) : client.likePack(input));
    },
  };
}

/** The body of an answer that has one: without If-None-Match, none is a 304. */
function contentOf<T>(answer: { body: T | null }): T {
  if (answer.body === null) throw new AppError('bad-request', 'The API answered without a body.');
  return answer.body;
}

async function told<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw refusalOf(error);
  }
}

function refusalOf(error: unknown): unknown {
  if (!(error instanceof ProblemError)) return error;
  return new AppError('bad-request', `The API refused: ${error.message}`, { cause: error });
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
