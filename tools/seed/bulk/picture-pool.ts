/**
 * The pictures that all made-up stickers show: drawn, looked at and converted once, by the code that the workers run. Their files
 * are in the store before any row names them.
 */
import { createHash } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { themeKeyOf, type ScoringInput } from '@omnizap/catalog';
import {
  analyseImage,
  configureImaging,
  createEmojiClassifier,
  makeDerivatives,
  probeImage,
  type ImageProbe,
} from '@omnizap/imaging';
import type { DiskStore } from '@omnizap/storage';
import { configureDrawing, drawSticker } from '../draw-sticker.ts';
import { readEmojiArt } from '../emoji-art.ts';
import { animatedArt, stillArt } from './bulk-words.ts';

type Scored = ScoringInput['stickers'][number];
type File = { sha256: string; width: number; height: number; frameCount: number; sizeBytes: number };

export type Picture = {
  emoji: string;
  label: string;
  probe: ImageProbe;
  classification: Scored['classification'];
  sticker: File;
  preview: File;
};

/** The still ones first; `animatedArt` says how many are animated. */
export type PicturePool = Picture[];

/** @throws the signal's reason when it is aborted */
export async function makePicturePool(store: DiskStore, signal: AbortSignal): Promise<PicturePool> {
  configureImaging();
  configureDrawing();
  await store.prepare();
  const pool: PicturePool = [];
  for (const [index, emoji] of [...stillArt, ...animatedArt].entries()) {
    signal.throwIfAborted();
    pool.push(await makePicture(store, emoji, index));
  }
  return pool;
}

async function makePicture(store: DiskStore, emoji: string, index: number): Promise<Picture> {
  const art = await readEmojiArt(emoji);
  const { bytes } = await drawSticker(art, index < stillArt.length ? 'webp' : 'animated-webp', index);
  const path = store.temporaryPath();
  try {
    await writeFile(path, bytes);
    const probe = await probeImage(path);
    const { features, hashes, hashQuality, pixelSha256 } = await analyseImage(path, probe);
    const accessibilityLabel = art.name;
    const found = await createEmojiClassifier().classify({
      emojis: [emoji],
      packWords: [],
      accessibilityLabel,
      features,
    });
    const { provider, version, category, confidence, labels, nsfwLevel } = found;
    const metadata = { packId: 'made-up', packName: 'Made up', publisher: 'db:seed', emojis: [emoji] };
    const { sticker, preview } = await makeDerivatives(path, probe, metadata);
    const keep = async (kind: 'sticker' | 'preview', file: Buffer): Promise<{ sha256: string; sizeBytes: number }> => {
      const sha256 = createHash('sha256').update(file).digest('hex');
      await store.put(kind, sha256, file);
      return { sha256, sizeBytes: file.length };
    };
    return {
      emoji,
      label: accessibilityLabel,
      probe,
      classification: {
        ...{ provider, category, confidence, labels, nsfwLevel, pixelSha256, hashes, hashQuality, features },
        providerVersion: version,
        themeKey: themeKeyOf(category, features.isAnimated),
      },
      sticker: {
        ...(await keep('sticker', sticker.bytes)),
        width: sticker.width,
        height: sticker.height,
        frameCount: sticker.frameCount,
      },
      preview: {
        ...(await keep('preview', preview.bytes)),
        width: preview.width,
        height: preview.height,
        frameCount: 1,
      },
    };
  } finally {
    await rm(path, { force: true });
  }
}
