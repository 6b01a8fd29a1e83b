/**
 * A pack as one file that other programs take. What such a program would refuse is said instead of handed out; what can be mended
 * is mended in the file. A file is built once and kept under a digest of all that goes into it, so a change of the pack, of a
 * sticker or of its words is another file, and a file that was begun can be continued later.
 */
import { createHash } from 'node:crypto';
import {
  about,
  fittingAltText,
  fittingEmojis,
  isBlocking,
  layOutPack,
  makeTray,
  otherLimits,
  validatePack,
  validateStaticSet,
  validateSticker,
  validateTray,
  withExif,
  writeStickerExif,
  writeZip,
  type Finding,
  type PackFormat,
  type ZipItem,
} from '@omnizap/imaging';
import { AppError } from '@omnizap/runtime';
import type { BuildCache, DiskStore } from '@omnizap/storage';
import type { CatalogueReader } from './catalogue-reader.ts';
import type { PackView, StickerView } from './catalogue-store.ts';
import { factsOfPack, fittingPublisher } from './pack-findings.ts';
import { isReachable, type Actor } from './packs.ts';

export type PackExport = {
  /** Under the cache's root. */
  file: string;
  /** Equal for equal bytes. */
  digest: string;
  sizeBytes: number;
  /** Everybody may fetch it. */
  isPublic: boolean;
};

type ReadySticker = StickerView & { stickerSha256: string };

/** Raised when the same pack would be laid out otherwise, so that no older file is taken for it. */
const layoutVersion = 1;
/** Of several hundred findings the first show what is wrong. */
const mostProblems = 20;

export type PackExports = ReturnType<typeof createPackExports>;

export function createPackExports(deps: {
  reader: Pick<CatalogueReader, 'readPack'>;
  store: Pick<DiskStore, 'read'>;
  cache: BuildCache;
}) {
  const { reader, store, cache } = deps;

  /** The file of one sticker with the words that it has in this pack. @throws AppError `unavailable` */
  async function readSticker(format: PackFormat, view: PackView, sticker: ReadySticker): Promise<Buffer> {
    const bytes = await store.read('sticker', sticker.stickerSha256).catch((error: unknown) => {
      throw new AppError('unavailable', 'The bytes of a sticker are not on this host.', { cause: error });
    });
    const { pack } = view;
    const isForWhatsapp = format === 'wastickers' || format === 'whatsapp';
    return withExif(
      bytes,
      isForWhatsapp
        ? writeStickerExif({
            packId: pack.packKey,
            packName: pack.name,
            publisher: fittingPublisher(pack.publisher),
            ...wordsOf(format, sticker),
            accessibilityText: fittingAltText(sticker.accessibilityLabel, sticker.isAnimated),
          })
        : null,
    );
  }

  async function* itemsOf(
    format: PackFormat,
    view: PackView,
    stickers: ReadySticker[],
    dataVersion: string,
  ): AsyncGenerator<ZipItem> {
    const { pack, score } = view;
    const layout = layOutPack(format, {
      identifier: pack.packKey,
      name: pack.name,
      publisher: fittingPublisher(pack.publisher),
      dataVersion,
      isAnimated: stickers.some((sticker) => sticker.isAnimated),
      stickers: stickers.map((sticker) => wordsOf(format, sticker)),
    });
    yield* layout.texts;
    const cover = stickers.find(({ stickerId }) => stickerId === score?.coverAssetId) ?? stickers[0];
    if (layout.trayName !== null && cover) {
      const bytes = await makeTray(await readSticker(format, view, cover));
      refuse(format, pack.packKey, validateTray(bytes));
      yield { name: layout.trayName, bytes };
    }
    for (const [index, sticker] of stickers.entries()) {
      const bytes = await readSticker(format, view, sticker);
      refuse(format, pack.packKey, findingsOfFile(format, sticker, bytes));
      yield { name: layout.stickerNames[index] ?? '', bytes };
    }
  }

  return {
    root: cache.root,

    /**
     * The file for that program, of the stickers that are ready.
     * @throws AppError `pack-not-found` also when the asker may not see it, `pack-not-exportable` with the rules that fail,
     * `unavailable`
     */
    async open(packKey: string, format: PackFormat, actor: Actor | null): Promise<PackExport> {
      const { view, stickers } = await reader.readPack(packKey, actor);
      const ready = stickers.filter((sticker): sticker is ReadySticker => isReady(sticker));
      refuse(format, packKey, findingsOfPack(format, view, ready));
      const digest = digestOf(format, view, ready);
      const { name, sizeBytes } = await cache.file(`${digest}.zip`, (path) =>
        writeZip(path, itemsOf(format, view, ready, digest.slice(0, 12))),
      );
      return { file: name, digest, sizeBytes, isPublic: isReachable(view.pack) };
    },
  };
}

function isReady(sticker: StickerView): boolean {
  return sticker.status === 'ready' && sticker.moderation === 'approved' && sticker.stickerSha256 !== null;
}

function wordsOf(format: PackFormat, sticker: StickerView) {
  const { emojis, classification, accessibilityLabel, isAnimated } = sticker;
  const limit = format === 'telegram' ? otherLimits.telegram.maxEmojis : undefined;
  return {
    emojis: fittingEmojis(emojis, classification?.category ?? null, limit),
    accessibilityText: fittingAltText(accessibilityLabel, isAnimated),
  };
}

function findingsOfPack(format: PackFormat, view: PackView, stickers: ReadySticker[]): Finding[] {
  if (format === 'wastickers' || format === 'whatsapp') return validatePack(factsOfPack(view.pack, stickers));
  return validateStaticSet(
    format,
    stickers.map(({ stickerId, isAnimated, sizeBytes }) => ({ subject: stickerId, isAnimated, sizeBytes })),
  );
}

/** Of a file that we made: whatever is wrong with it now is not mended by anybody. */
function findingsOfFile(format: PackFormat, { stickerId }: ReadySticker, bytes: Buffer): Finding[] {
  const { facts, findings } = validateSticker(bytes);
  if (format === 'wastickers' || format === 'whatsapp' || !facts)
    return about(stickerId, findings).map((one) => ({ ...one, isMended: false }));
  return validateStaticSet(format, [{ subject: stickerId, isAnimated: facts.isAnimated, sizeBytes: facts.sizeBytes }]);
}

/** @throws AppError `pack-not-exportable` */
function refuse(format: PackFormat, packKey: string, findings: Finding[]): void {
  const blocking = findings.filter(isBlocking);
  const [first] = blocking;
  if (!first) return;
  const rules = [...new Set(blocking.map(({ rule }) => rule))];
  throw new AppError(
    'pack-not-exportable',
    `Pack "${packKey}" does not fit ${format}: ${first.message} ${first.remedy} (${rules.join(', ')})`,
    {
      details: { rules },
      fields: blocking.slice(0, mostProblems).map(({ rule, subject, message, remedy }) => ({
        pointer: subject === null ? `/${rule}` : `/stickers/${subject}/${rule}`,
        rule,
        detail: `${message} ${remedy}`,
      })),
    },
  );
}

function digestOf(format: PackFormat, { pack, score }: PackView, stickers: ReadySticker[]): string {
  const content = [
    layoutVersion,
    format,
    pack.id,
    pack.packKey,
    pack.name,
    pack.publisher,
    score?.coverAssetId ?? null,
    ...stickers.map((sticker) => [sticker.stickerId, sticker.stickerSha256, wordsOf(format, sticker)]),
  ];
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}
