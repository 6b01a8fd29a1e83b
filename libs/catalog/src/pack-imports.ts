/**
 * A pack comes in as one file and becomes a draft of its owner, with all of its stickers or not at all. Its files are unpacked one
 * at a time, under names of our own, and are looked at like any upload.
 */
import { createHash } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { v7 as uuidv7 } from 'uuid';
import {
  about,
  finding,
  keepEmojis,
  openZip,
  probeImage,
  readPackFile,
  shortenText,
  validatePack,
  validateSticker,
  validateTray,
  type Finding,
  type PackFile,
  type PackSource,
} from '@omnizap/imaging';
import { outboxTopic } from '@omnizap/outbox';
import { AppError, isAppError } from '@omnizap/runtime';
import { announce } from './announce.ts';
import { readPackViews, type PackView } from './catalogue-store.ts';
import { requireRoomForPack, type OwnerTurns } from './owner-turns.ts';
import { factsOfPack } from './pack-findings.ts';
import { createPackKey } from './pack-key.ts';
import { findPackByKey, insertPack } from './pack-store.ts';
import { packUpdated, type Actor } from './packs.ts';
import { addToPack, type StickerUpload, type UploadDeps } from './uploads.ts';

export type ImportedPack = { view: PackView; findings: Finding[] };

type Unpacked = StickerUpload & { file: string };
type NewPack = { name: string; publisher: string };

const maxNameLength = 120;
const maxLabelLength = 255;
const namelessPack = 'Stickers';
export type PackImports = ReturnType<typeof createPackImports>;

/** `maxPerOwner` 0: as many packs as they like. */
export function createPackImports(deps: UploadDeps & { turns: OwnerTurns }, options: { maxPerOwner: number }) {
  const { database, wakeups, store, maxItems, turns } = deps;

  /** Each sticker in a temporary file of ours. @throws AppError of what is wrong with one, naming its file */
  async function unpack(
    source: PackSource,
    pack: PackFile,
    unpacked: Unpacked[],
  ): Promise<{ findings: Finding[]; facts: Parameters<typeof factsOfPack>[1] }> {
    const findings: Finding[] = [];
    const facts: Parameters<typeof factsOfPack>[1] = [];
    const seen = new Set<string>();
    for (const { file, emojis, accessibilityText } of pack.stickers) {
      const bytes = await source.read(file);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      if (seen.has(sha256)) {
        findings.push(finding('sticker-duplicate', 'The pack has this sticker already; it is taken once.', file));
        continue;
      }
      seen.add(sha256);
      const temporaryPath = store.temporaryPath();
      await writeFile(temporaryPath, bytes, { flag: 'wx', mode: 0o600 });
      const upload = { temporaryPath, sha256, file, emojis: [] as string[], accessibilityLabel: null as string | null };
      const sticker = { ...upload, probe: await probeNamed(temporaryPath, file, unpacked) };
      sticker.emojis = keepEmojis(emojis ?? sticker.probe.metadata?.emojis ?? []);
      const label = plainText(accessibilityText ?? sticker.probe.metadata?.accessibilityText ?? '');
      sticker.accessibilityLabel = label === '' ? null : shortenText(label, maxLabelLength);
      unpacked.push(sticker);
      findings.push(...about(file, validateSticker(bytes).findings));
      facts.push({
        stickerId: file,
        isAnimated: sticker.probe.isAnimated,
        emojis: sticker.emojis,
        accessibilityLabel: sticker.accessibilityLabel,
      });
    }
    return { findings, facts };
  }

  /** The file is nobody's yet when probing it fails. */
  async function probeNamed(path: string, file: string, unpacked: Unpacked[]) {
    try {
      return await probeImage(path);
    } catch (error) {
      await rm(path, { force: true });
      if (!isAppError(error)) throw error;
      throw new AppError(error.code, `"${file.slice(0, 80)}", sticker ${unpacked.length + 1}: ${error.message}`, {
        cause: error,
        fields: [{ pointer: `/${file}`, detail: error.message }],
      });
    }
  }

  async function save(actor: Actor, words: NewPack, stickers: Unpacked[], requestId?: string): Promise<PackView> {
    for (const { temporaryPath, sha256 } of stickers) await store.adopt(temporaryPath, 'original', sha256);
    return turns.run(actor.ownerId, async (trx) => {
      await requireRoomForPack(trx, actor.ownerId, options.maxPerOwner);
      const pack = {
        ...{ id: uuidv7(), packKey: createPackKey(words.name), ownerId: actor.ownerId },
        ...{ ...words, description: '', visibility: 'public' as const, tags: [] },
      };
      await insertPack(trx, pack);
      await announce(trx, deps, [packUpdated(pack.id, 'created', [])], requestId);
      const made = await findPackByKey(trx, pack.packKey, database.kind);
      if (!made) throw new Error(`Pack ${pack.id} is gone within the transaction that made it`);
      for (const sticker of stickers) await addToPack(trx, deps, actor, made, sticker, { requestId });
      const [view] = await readPackViews(trx, [pack.id]);
      if (!view) throw new Error(`Pack ${pack.id} is gone within the transaction that made it`);
      return view;
    });
  }

  return {
    /**
     * Imports the zip file at `path`. `identifier` says which pack of a contents.json with several.
     * @throws AppError `pack-file-invalid`, `pack-file-unsafe`, `pack-limit-reached`, and the `image-` codes of the sticker that cannot be taken
     */
    async importFile(
      actor: Actor,
      path: string,
      wanted: { identifier?: string | undefined; requestId?: string } = {},
    ): Promise<ImportedPack> {
      const zip = await openZip(path);
      const unpacked: Unpacked[] = [];
      try {
        const pack = await readPackFile(zip, wanted);
        requireComplete(pack, maxItems);
        const { findings, facts } = await unpack(zip, pack, unpacked);
        const { words, findings: ofWords } = wordsOf(pack);
        const tray = pack.trayFile === null ? [] : validateTray(await zip.read(pack.trayFile));
        const view = await save(actor, words, unpacked, wanted.requestId);
        wakeups.notify(outboxTopic);
        const ofPack = validatePack(factsOfPack({ packKey: view.pack.packKey, ...words }, facts));
        return {
          view,
          findings: [...ofWords, ...ofPack, ...pack.findings, ...about(pack.trayFile ?? '', tray), ...findings],
        };
      } finally {
        zip.close();
        for (const { temporaryPath } of unpacked) await rm(temporaryPath, { force: true });
      }
    },
  };
}

/** @throws AppError `pack-file-invalid` */
function requireComplete(pack: PackFile, maxItems: number): void {
  const missing = pack.findings.filter(({ rule }) => rule === 'file-missing');
  if (missing.length > 0)
    throw new AppError('pack-file-invalid', `${missing.length} stickers are named in contents.json but not there.`, {
      fields: missing.map(({ rule, subject, message }) => ({ pointer: `/${subject ?? ''}`, rule, detail: message })),
    });
  const count = pack.stickers.length;
  if (count === 0) throw new AppError('pack-file-invalid', 'The pack has no sticker.');
  if (count > maxItems)
    throw new AppError(
      'pack-file-invalid',
      `The pack has ${count} stickers, at most ${maxItems} fit into one. Divide it.`,
      {
        fields: [{ pointer: '/stickers', rule: 'pack-stickers-max', detail: `${count} stickers` }],
      },
    );
}

function wordsOf(pack: PackFile): { words: NewPack; findings: Finding[] } {
  const findings: Finding[] = [];
  const fit = (what: string, value: string | null): string => {
    const text = plainText(value ?? '');
    if (text.length > maxNameLength)
      findings.push(finding('text-shortened', `The ${what} had ${text.length} characters and was shortened.`));
    return shortenText(text, maxNameLength);
  };
  const name = fit('name', pack.name);
  return { words: { name: name === '' ? namelessPack : name, publisher: fit('publisher', pack.publisher) }, findings };
}

/** One line without what cannot be seen. */
function plainText(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/gu, ' ')
    .replaceAll(/ {2,}/g, ' ')
    .trim();
}
