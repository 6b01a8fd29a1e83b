/** Rows and values for the tests of this library: valid, unlike each other, and the same in every run except for their ids. */
import { createHash } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import type { ImageProbe } from '@omnizap/imaging';
import type { Database } from '@omnizap/runtime';
import {
  insertAsset,
  setAssetStatus,
  writeClassification,
  writeDerivatives,
  type StickerStatus,
  type StoredClassification,
} from '../src/asset-store.ts';
import type { Candidate } from '../src/curation-store.ts';
import type { RankableRow } from '../src/rankable-row.ts';
import { createPackKey } from '../src/pack-key.ts';
import { insertItems, insertPack, type NewPack } from '../src/pack-store.ts';

/** Flags of a catalogue where everything is announced. */
export const flags = { isOn: () => true };

/** 64 hexadecimal digits; those of two numbers differ in about half of their bits. */
export const digestOf = (text: string | number): string => createHash('sha256').update(`${text}`).digest('hex');

/** Numbers in 0..1, the same for the same seed (Park and Miller's minimal standard generator). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

export function buildClassification(number: number, changes: Partial<StoredClassification> = {}): StoredClassification {
  return {
    provider: 'emoji',
    providerVersion: '1',
    category: 'love',
    themeKey: 'love',
    confidence: 0.9,
    labels: [{ label: 'love', score: 0.9 }],
    nsfwLevel: 'safe',
    pixelSha256: digestOf(`pixels ${number}`),
    hashes: { first: digestOf(number), middle: null, last: null, mask: null },
    hashQuality: 100,
    features: {
      isAnimated: false,
      frameCount: 1,
      durationMs: 0,
      hasTransparency: false,
      transparentShare: 0,
      colourfulness: 40,
      brightness: 0.5,
      edgeDensity: 0.2,
      blur: 0.1,
      dominantColours: ['#ff0000'],
    },
    ...changes,
  };
}

/** A listed pack as the ranking reads it: without opens, so that nothing changes with the clock. */
export function buildRankableRow(changes: Partial<RankableRow> = {}): RankableRow {
  return {
    pack_id: uuidv7(),
    pack_score: 0.5,
    cohesion_score: 0.5,
    updated_at: new Date('2026-11-01T00:00:00Z'),
    ...{ open_count: 0, like_count: 0, dislike_count: 0, download_count: 0 },
    ...{ opens_day: 0, opens_week: 0, trend_at: new Date('2026-11-01T00:00:00Z') },
    ...{ nsfw_level: 'safe', is_animated: 0, categories: [], sticker_count: 3, publisher: 'Somebody', theme_key: null },
    ...changes,
  };
}

export function buildCandidate(number: number, changes: Partial<StoredClassification> = {}): Candidate {
  return {
    assetId: `00000000-0000-7000-8000-${String(number).padStart(12, '0')}`,
    classification: buildClassification(number, changes),
    emojis: ['❤️'],
    accessibilityLabel: null,
  };
}

const probe: ImageProbe = {
  format: 'png',
  mimetype: 'image/png',
  width: 512,
  height: 512,
  frameCount: 1,
  frameDurationsMs: [],
  hasAlpha: false,
  isAnimated: false,
  metadata: null,
  sizeBytes: 20_000,
};

let stickers = 0;

type StickerRow = {
  ownerId?: string;
  sha256?: string;
  status?: StickerStatus;
  /** Null: never looked at. */
  classification?: Partial<StoredClassification> | null;
};

/** A sticker as the workers leave it behind: looked at, converted, ready. Returns its id. */
export async function addSticker(database: Database, row: StickerRow = {}): Promise<string> {
  const id = uuidv7();
  const number = (stickers += 1);
  await database.transaction(async (trx) => {
    const sha256 = row.sha256 ?? digestOf(`original ${number}`);
    await insertAsset(trx, { id, ownerId: row.ownerId ?? 'owner', sha256, probe });
    const status = row.status ?? 'ready';
    if (status !== 'pending') await setAssetStatus(trx, database.kind, id, status, null);
    if (row.classification !== null)
      await writeClassification(trx, database.kind, id, 1, buildClassification(number, row.classification));
    const measures = { width: 512, height: 512, frameCount: 1, sizeBytes: 18_000 };
    if (status === 'ready')
      await writeDerivatives(trx, id, 1, [
        { variant: 'preview', sha256: digestOf(`preview ${number}`), ...measures },
        { variant: 'sticker', sha256: digestOf(`sticker ${number}`), ...measures },
      ]);
  });
  return id;
}

/** A published, public pack of these stickers, unless told otherwise. */
export async function addPack(
  database: Database,
  assetIds: string[] = [],
  changes: Partial<NewPack> = {},
): Promise<{ id: string; packKey: string }> {
  const pack: NewPack = {
    id: uuidv7(),
    packKey: createPackKey('Some pack'),
    ownerId: 'owner',
    name: 'Some pack',
    publisher: 'Somebody',
    description: '',
    visibility: 'public',
    status: 'published',
    tags: [],
    ...changes,
  };
  await database.transaction(async (trx) => {
    await insertPack(trx, pack);
    await insertItems(
      trx,
      pack.id,
      assetIds.map((assetId, position) => ({ assetId, position, emojis: ['❤️'], accessibilityLabel: null })),
    );
  });
  return { id: pack.id, packKey: pack.packKey };
}
