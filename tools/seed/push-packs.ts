/**
 * Pushes the demo packs through the API. Packs go side by side, the stickers of one pack one after the other: they keep their
 * order, and no request waits for another one's lock on the pack. A sticker that the pack already has is not drawn again.
 */
import type { ApiClient, PackDetail } from './api-client.ts';
import type { DemoPack } from './demo-packs.ts';
import type { DemoProgress } from './demo-progress.ts';
import type { DemoState } from './demo-state.ts';
import { drawSticker, type StickerFormat } from './draw-sticker.ts';
import { readEmojiArt } from './emoji-art.ts';

const packsAtOnce = 5;
const publisher = 'OmniZap demo';
/** Most need the workers' encoder; the WebPs already are as WhatsApp wants them, and cost the fleet a third of a PNG. */
const stillFormats: StickerFormat[] = ['png', 'webp', 'png', 'webp', 'png'];
/** GIF and APNG must be encoded anew by the workers, which takes half a second each: two of each show that it works. */
const animatedFormats: StickerFormat[] = [
  'animated-webp',
  'apng',
  'animated-webp',
  'gif',
  ...Array<StickerFormat>(4).fill('animated-webp'),
];
const companionEvery = 3;

type PushDeps = { api: ApiClient; state: DemoState; progress: DemoProgress; signal: AbortSignal };

/** Makes the packs that are not there yet. Returns the key of each, by slug. */
export async function createPacks({ api, state, signal }: PushDeps, packs: DemoPack[]): Promise<Map<string, string>> {
  const keys = new Map<string, string>();
  for (const pack of packs) {
    signal.throwIfAborted();
    const known = state.packKey(pack.slug);
    if (known !== null && (await api.getPack(known)) !== null) {
      keys.set(pack.slug, known);
      continue;
    }
    const { slug, name, description, tags } = pack;
    // A pack that was deleted meanwhile is a new one, so its key must differ from the first one's.
    const idempotencyKey = [state.demoId, slug, ...(known === null ? [] : [known])].join('-');
    const packKey = await api.createPack({ name, publisher, description, tags }, idempotencyKey);
    await state.setPack(slug, packKey, { isEngaged: false });
    keys.set(slug, packKey);
  }
  return keys;
}

/** Uploads, publishes and gives every pack its viewers. */
export async function pushPacks(deps: PushDeps, packs: DemoPack[], keys: Map<string, string>): Promise<void> {
  const waiting = packs.values();
  const work = async (): Promise<void> => {
    // One iterator for all: each takes the next pack when it is done with one.
    for (const pack of waiting) await pushPack(deps, pack, keys.get(pack.slug) ?? '');
  };
  await Promise.all(Array.from({ length: packsAtOnce }, work));
}

async function pushPack({ api, state, progress, signal }: PushDeps, pack: DemoPack, packKey: string): Promise<void> {
  const before = await api.getPack(packKey);
  const present = new Set(before?.stickers.map((sticker) => sticker.accessibility_label));
  for (const [index, emoji] of pack.emojis.entries()) {
    signal.throwIfAborted();
    const art = await readEmojiArt(emoji);
    if (!present.has(art.name)) {
      const { bytes, contentType } = await drawSticker(art, formatOf(pack, index), index);
      progress.add('drawn');
      const emojis = index % companionEvery === 0 ? [emoji, pack.companion] : [emoji];
      await api.addSticker(packKey, { bytes, contentType, emojis, label: art.name });
    } else progress.add('drawn');
    progress.add('uploaded');
  }
  await publish(api, packKey, before);
  if (state.isEngaged(pack.slug)) return;
  for (let viewer = 1; viewer <= pack.opens; viewer += 1) {
    await api.engage(packKey, 'open', `demo-viewer-${viewer}`);
    if (viewer <= pack.likes) await api.engage(packKey, 'like', `demo-viewer-${viewer}`);
  }
  await state.setPack(pack.slug, packKey, { isEngaged: true });
}

async function publish(api: ApiClient, packKey: string, before: PackDetail | null): Promise<void> {
  if (before?.status !== 'published') await api.publish(packKey);
}

function formatOf(pack: DemoPack, index: number): StickerFormat {
  const formats = pack.isAnimated ? animatedFormats : stillFormats;
  return formats[index % formats.length] ?? 'png';
}
