/** One owner of the measured fleet, over the public API. Each session is a new owner: the same files are new stickers to it. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { BenchFleet } from './bench-fleet.ts';

const stickerSchema = z.object({
  sticker_id: z.string(),
  status: z.enum(['pending', 'ready', 'rejected']),
  classification: z.object({ category: z.string() }).nullable(),
});
const detailSchema = z.object({ data: z.object({ stickers: z.array(stickerSchema) }) });
const createdPackSchema = z.object({ data: z.object({ pack_key: z.string() }) });
const createdKeySchema = z.object({ data: z.object({ key: z.string() }) });
const addedSchema = z.object({ data: z.object({ sticker_id: z.string() }) });

/** What the API allows by default. */
export const stickersPerPack = 30;
/** Enough to keep the API busy, few enough that no upload waits long. */
const uploadsAtOnce = 4;
const emojis = ['😀', '🐱', '🎉', '🍕', '⚽', '🚗', '❤️', '🌸'];

export type BenchSticker = { bytes: Buffer; contentType: string };
export type StickerState = z.output<typeof stickerSchema>;
export type OwnerSession = Awaited<ReturnType<typeof createOwnerSession>>;

/** Makes an owner and a key for it. All functions throw when the API answers anything but success. */
export async function createOwnerSession(fleet: BenchFleet) {
  const created = await send(fleet, 'POST', '/api/admin/api-keys', {
    headers: { authorization: `Bearer ${fleet.adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ owner_id: `bench-${randomUUID()}`, scopes: ['catalog:write'] }),
  });
  const authorization = `Bearer ${createdKeySchema.parse(created).data.key}`;

  async function createPack(name: string): Promise<string> {
    const headers = { authorization, 'content-type': 'application/json' };
    const body = JSON.stringify({ name, publisher: 'Bench', tags: ['bench'] });
    return createdPackSchema.parse(await send(fleet, 'POST', '/api/sticker-packs', { headers, body })).data.pack_key;
  }

  async function addSticker(packKey: string, sticker: BenchSticker, index: number): Promise<string> {
    const form = new FormData();
    form.set('emojis', JSON.stringify([emojis[index % emojis.length]]));
    form.set('file', new Blob([new Uint8Array(sticker.bytes)], { type: sticker.contentType }), 'sticker');
    const answer = await send(fleet, 'POST', `/api/sticker-packs/${packKey}/stickers`, {
      headers: { authorization },
      body: form,
    });
    return addedSchema.parse(answer).data.sticker_id;
  }

  return {
    createPack,
    addSticker,
    /** As its owner sees the pack: pending stickers too. */
    async stickersOf(packKey: string): Promise<StickerState[]> {
      const answer = await send(fleet, 'GET', `/api/sticker-packs/${packKey}`, { headers: { authorization } });
      return detailSchema.parse(answer).data.stickers;
    },
    async publish(packKey: string): Promise<void> {
      await send(fleet, 'POST', `/api/sticker-packs/${packKey}/publish`, { headers: { authorization } });
    },
    /** Uploads all, in as many packs as they need; returns the packs' keys. */
    async addAll(stickers: BenchSticker[], perPack = stickersPerPack): Promise<string[]> {
      const packKeys: string[] = [];
      for (let start = 0; start < stickers.length; start += perPack)
        packKeys.push(await createPack(`Bench pack ${packKeys.length + 1}`));
      const waiting = stickers.entries();
      const work = async (): Promise<void> => {
        // One iterator for all: each takes the next sticker when it is done with one.
        for (const [index, sticker] of waiting)
          await addSticker(packKeys[index % packKeys.length] ?? '', sticker, index);
      };
      await Promise.all(Array.from({ length: uploadsAtOnce }, work));
      return packKeys;
    },
  };
}

async function send(fleet: BenchFleet, method: string, path: string, init: RequestInit): Promise<unknown> {
  const response = await fetch(new URL(path, fleet.apiUrl), { ...init, method });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}: ${text.slice(0, 300)}`);
  return JSON.parse(text) as unknown;
}
