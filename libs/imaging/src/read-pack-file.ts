/**
 * Finds the pack in a zip file or a folder: in `contents.json` as WhatsApp's sample app has it, or in title.txt, author.txt and
 * WebPs as `.wastickers` has it. What is written there is a stranger's: it is checked, and nothing is opened by a name in it.
 */

import { AppError } from '@omnizap/runtime';
import { z } from 'zod';
import { about, finding, type Finding } from './whatsapp-rules.ts';

/** A zip file or a folder: names with "/" between folders. */
export type PackSource = { names: string[]; read(name: string): Promise<Buffer> };

export type PackFile = {
  layout: 'contents' | 'wastickers' | 'loose';
  identifier: string | null;
  name: string | null;
  publisher: string | null;
  /** Name of the file in the source. */
  trayFile: string | null;
  /** What contents.json says; null where nothing says it. */
  isMarkedAnimated: boolean | null;
  /** `emojis` is null where only the sticker's own EXIF block can tell. */
  stickers: { file: string; emojis: unknown[] | null; accessibilityText: string | null }[];
  findings: Finding[];
};

const maxJsonBytes = 256 * 1_024;
const maxTextBytes = 4_096;
/** What archivers of macOS and Windows leave behind. */
const litter = /(^|\/)(__MACOSX\/|\.DS_Store$|Thumbs\.db$|desktop\.ini$)/i;

const contentsSchema = z.object({
  sticker_packs: z
    .array(
      z.object({
        identifier: z.string().default(''),
        name: z.string().default(''),
        publisher: z.string().default(''),
        tray_image_file: z.string().optional(),
        image_data_version: z.union([z.string(), z.number()]).optional(),
        animated_sticker_pack: z.boolean().default(false),
        stickers: z.array(
          z.object({
            image_file: z.string(),
            emojis: z.array(z.unknown()).max(100).default([]),
            accessibility_text: z.string().nullish(),
          }),
        ),
      }),
    )
    .min(1),
});
type ContentsPack = z.output<typeof contentsSchema>['sticker_packs'][number];

/**
 * `identifier` chooses one of several packs in contents.json. With `mayBeLoose` a source of nothing but WebPs is a pack as well.
 * @throws AppError pack-file-invalid saying what is missing
 */
export async function readPackFile(
  source: PackSource,
  options: { identifier?: string | undefined; mayBeLoose?: boolean } = {},
): Promise<PackFile> {
  const names = source.names.filter((name) => !litter.test(name)).toSorted(byNumber);
  const contentsFile = shallowest(names, 'contents.json');
  if (contentsFile !== null) return readContents({ ...source, names }, contentsFile, options.identifier);
  return readLoose({ ...source, names }, options.mayBeLoose === true);
}

async function readContents(source: PackSource, file: string, wanted: string | undefined): Promise<PackFile> {
  const parsed = contentsSchema.safeParse(parseJson(await readText(source, file, maxJsonBytes)));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalid(
      `contents.json is not that of a sticker app: /${issue?.path.join('/') ?? ''}: ${issue?.message ?? ''}`,
    );
  }
  const packs = parsed.data.sticker_packs;
  const identifiers = packs.map(({ identifier }) => JSON.stringify(identifier.slice(0, 80))).slice(0, 10);
  const chosen = packs.filter(({ identifier }) => wanted === undefined || identifier === wanted);
  const [pack] = chosen;
  if (!pack) throw invalid(`contents.json has no pack ${JSON.stringify(wanted)}; it has ${identifiers.join(', ')}`);
  if (chosen.length > 1)
    throw invalid(
      `contents.json has ${packs.length} packs (${identifiers.join(', ')}): say in "identifier" which one to take`,
    );
  return resolvePack(source, file, pack);
}

function resolvePack(source: PackSource, file: string, pack: ContentsPack): PackFile {
  const base = file.slice(0, -'contents.json'.length);
  const findings: Finding[] = [];
  const find = (imageFile: string): string | null =>
    source.names.find((name) => name === `${base}${pack.identifier}/${imageFile}`) ??
    source.names.find((name) => name === `${base}${imageFile}`) ??
    onlyOne(source.names.filter((name) => name.endsWith(`/${imageFile}`)));
  const stickers = pack.stickers.flatMap(({ image_file, emojis, accessibility_text }) => {
    const found = find(image_file);
    if (found !== null) return [{ file: found, emojis, accessibilityText: accessibility_text ?? null }];
    findings.push(finding('file-missing', 'contents.json names a file that is not there.', image_file.slice(0, 255)));
    return [];
  });
  const trayFile = pack.tray_image_file === undefined ? null : find(pack.tray_image_file);
  if (trayFile === null) findings.push(finding('tray-missing', 'contents.json names no tray image that is there.'));
  if (pack.image_data_version === undefined || pack.image_data_version === '')
    findings.push(finding('pack-data-version', 'contents.json has no image_data_version.'));
  return {
    layout: 'contents',
    identifier: pack.identifier,
    name: pack.name,
    publisher: pack.publisher,
    trayFile,
    stickers,
    isMarkedAnimated: pack.animated_sticker_pack,
    findings,
  };
}

async function readLoose(source: PackSource, mayBeLoose: boolean): Promise<PackFile> {
  const titleFile = shallowest(source.names, 'title.txt');
  const authorFile = shallowest(source.names, 'author.txt');
  const stickerFiles = source.names.filter((name) => /\.webp$/i.test(name));
  if (titleFile === null && authorFile === null && !mayBeLoose)
    throw invalid('it has neither contents.json nor title.txt and author.txt');
  if (stickerFiles.length === 0) throw invalid('it has no WebP');
  const pictures = source.names.filter((name) => /\.png$/i.test(name));
  const trayFile = pictures.find((name) => /(tray|icon|cover)[^/]*$/i.test(name)) ?? pictures[0] ?? null;
  const known = new Set([titleFile, authorFile, trayFile, ...stickerFiles]);
  const ignored = source.names.filter((name) => !known.has(name));
  const readLine = async (file: string | null): Promise<string | null> =>
    file === null ? null : (await readText(source, file, maxTextBytes)).trim();
  return {
    layout: titleFile === null && authorFile === null ? 'loose' : 'wastickers',
    identifier: null,
    name: await readLine(titleFile),
    publisher: await readLine(authorFile),
    trayFile,
    isMarkedAnimated: null,
    stickers: stickerFiles.map((file) => ({ file, emojis: null, accessibilityText: null })),
    findings: [
      ...(trayFile === null ? [finding('tray-missing', 'There is no PNG that could be the tray image.')] : []),
      ...ignored.flatMap((name) => about(name, [finding('file-ignored', 'The file is no part of the pack.')])),
    ],
  };
}

/** @throws AppError pack-file-invalid */
async function readText(source: PackSource, file: string, maxBytes: number): Promise<string> {
  const bytes = await source.read(file);
  if (bytes.length > maxBytes) throw invalid(`${file} has ${bytes.length} bytes, at most ${maxBytes} are read`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw invalid(`${file} is not UTF-8`, error);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid('contents.json is no JSON', error);
  }
}

/** The file of that name in the uppermost folder that has one. */
function shallowest(names: string[], fileName: string): string | null {
  const depth = (name: string): number => name.split('/').length;
  const found = names.filter((name) => name.toLowerCase() === fileName || name.toLowerCase().endsWith(`/${fileName}`));
  return found.toSorted((a, b) => depth(a) - depth(b))[0] ?? null;
}

/** 2.webp before 10.webp: the order in which people number their stickers. */
function byNumber(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

function onlyOne(names: string[]): string | null {
  return names.length === 1 ? (names[0] ?? null) : null;
}

function invalid(reason: string, cause?: unknown): AppError {
  return new AppError('pack-file-invalid', `This is no pack that can be taken: ${reason}.`, {
    cause,
    details: { reason },
  });
}
