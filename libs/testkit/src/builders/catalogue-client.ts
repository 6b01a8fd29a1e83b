/** What tests do as an owner or as anybody, over HTTP. Each call returns the answer as it came: judging it is the test's matter. */
import { ask } from './ask.ts';
import type { Answer, AskOptions } from './ask.ts';
import { buildMultipart } from './multipart.ts';
import type { Part } from './multipart.ts';

export type PackSummaryJson = {
  pack_key: string;
  name: string;
  publisher: string;
  status: string;
  visibility: string;
  sticker_count: number;
  cover_url: string | null;
  is_animated: boolean;
  whatsapp_ready: boolean;
  categories: string[];
  updated_at: string;
  engagement: { open: number; like: number; dislike: number; download: number };
  signals: Record<string, number>;
};

export type StickerJson = {
  sticker_id: string;
  position: number;
  emojis: string[];
  accessibility_label: string | null;
  asset_url: string | null;
  preview_url: string | null;
  status: 'pending' | 'ready' | 'rejected';
  rejection_reason: string | null;
  width: number;
  height: number;
  size_bytes: number;
  is_animated: boolean;
  classification: { category: string; confidence: number } | null;
};

export type PackDetailJson = PackSummaryJson & { stickers: StickerJson[] };

export type PackListJson = {
  data: PackSummaryJson[];
  pagination: { limit: number; next_cursor: string | null; has_more: boolean };
  meta: { source: string; generation: number | null; refreshed_at: string | null };
};

export type NewPackJson = {
  name: string;
  publisher?: string;
  description?: string;
  visibility?: string;
  tags?: string[];
};

export type NewSticker = { bytes: Buffer; emojis?: string[]; label?: string; filename?: string; requestId?: string };

export type CatalogueClient = ReturnType<typeof createCatalogueClient>;

/** `key` is sent with every request; without it the client is anybody. */
export function createCatalogueClient(apiUrl: string, key?: string) {
  const call = async (
    method: string,
    path: string,
    options: Omit<AskOptions, 'method' | 'key'> = {},
  ): Promise<Answer> => await ask(`${apiUrl}${path}`, { ...options, method, key });

  async function upload(packKey: string, parts: Part[], requestId?: string): Promise<Answer> {
    const { body, contentType } = buildMultipart(parts);
    const headers = { 'Content-Type': contentType, ...(requestId === undefined ? {} : { 'X-Request-Id': requestId }) };
    return await call('POST', `/api/sticker-packs/${packKey}/stickers`, { body, headers });
  }

  const addSticker = async (packKey: string, sticker: NewSticker): Promise<Answer> =>
    await upload(
      packKey,
      [
        {
          name: 'file',
          content: sticker.bytes,
          filename: sticker.filename ?? 'sticker',
          contentType: 'application/octet-stream',
        },
        { name: 'emojis', content: JSON.stringify(sticker.emojis ?? []) },
        { name: 'accessibility_label', content: sticker.label ?? '' },
      ],
      sticker.requestId,
    );

  return {
    call,
    upload,
    get: async (path: string, headers: Record<string, string> = {}): Promise<Answer> =>
      await call('GET', path, { headers }),

    /** Makes a draft and returns its key. @throws Error when it was refused */
    async createPack(pack: NewPackJson): Promise<string> {
      const answer = demand(await call('POST', '/api/sticker-packs', { body: pack }), 201);
      return answer.json<{ data: PackSummaryJson }>().data.pack_key;
    },

    addSticker,

    /** Adds stickers one after the other and returns their ids. @throws Error when one was refused */
    async addStickers(packKey: string, stickers: NewSticker[]): Promise<string[]> {
      const ids: string[] = [];
      for (const sticker of stickers) {
        const answer = demand(await addSticker(packKey, sticker), 202);
        ids.push(answer.json<{ data: { sticker_id: string } }>().data.sticker_id);
      }
      return ids;
    },

    publish: async (packKey: string): Promise<Answer> => await call('POST', `/api/sticker-packs/${packKey}/publish`),
    remove: async (packKey: string): Promise<Answer> => await call('DELETE', `/api/sticker-packs/${packKey}`),

    /** @throws Error when this client may not see it */
    async pack(packKey: string): Promise<PackDetailJson> {
      return demand(await call('GET', `/api/sticker-packs/${packKey}`), 200).json<{ data: PackDetailJson }>().data;
    },

    /** @throws Error when it was refused */
    async list(query = ''): Promise<PackListJson> {
      return demand(await call('GET', `/api/sticker-packs${query}`), 200).json<PackListJson>();
    },

    interact: async (packKey: string, interaction: 'open' | 'like' | 'dislike', viewer?: string): Promise<Answer> =>
      await call('POST', `/api/sticker-packs/${packKey}/${interaction}`, {
        headers: viewer === undefined ? {} : { 'X-Viewer-Key': viewer },
      }),
  };
}

function demand(answer: Answer, status: number): Answer {
  if (answer.status === status) return answer;
  throw new Error(`expected ${status}, got ${answer.status}: ${answer.bytes.toString('utf8').slice(0, 500)}`);
}
