/** Whether WhatsApp would take a sticker or a pack, and why not: of files on disk, or of a pack of the catalogue. */
import { open, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createCatalogueReader, findingsOfPack } from '@omnizap/catalog';
import {
  about,
  isZip,
  makeDerivatives,
  openZip,
  probeImage,
  validatePackFile,
  validateSticker,
  imageLimits,
  type Finding,
  type PackSource,
} from '@omnizap/imaging';
import { packKeyPattern } from '@omnizap/catalog';
import { AppError } from '@omnizap/runtime';
import { UsageError, type Command, type Group } from '../command.ts';
import type { Session } from '../session.ts';
import { printable } from '../terminal.ts';

type Subject = 'file' | 'folder' | 'zip' | 'pack';
type Verdict = { subject: Subject; stickers: number; findings: Finding[] };

/** Of one folder; a pack has a few dozen files. */
const mostFiles = 500;
/** Whoever may do everything sees drafts too. */
const operator = { ownerId: 'ops', isAdmin: true };
const ageDecayDays = 45;

const judgeIt: Command = {
  name: '',
  summary:
    'Judges a sticker file, a folder or zip that holds a pack, or a pack of the catalogue by the rules of runbooks/whatsapp-rules.md; exit code 1 when something would be refused. Only a pack of the catalogue needs the database',
  operands: '<file|folder|zip|pack key>',
  options: {
    identifier: { type: 'string', value: 'id', description: 'Which pack of a contents.json with several' },
    fix: {
      type: 'string',
      value: 'out.webp',
      description: 'Writes the sticker as WhatsApp takes it there, and judges that; for one file. The original stays',
    },
  },
  examples: [
    'validate sticker.webp',
    'validate pack.wastickers --json',
    'validate cats-x1y2z3',
    'validate photo.png --fix sticker.webp',
  ],
  async run({ operands, options, session, terminal, isJson }) {
    const [target, ...more] = operands;
    if (target === undefined || more.length > 0) throw new UsageError('Name one file, folder, zip or pack key.');
    const out = options.text('fix');
    const verdict = await judge(target, options.text('identifier'), session, out);
    const fixed = out === undefined ? null : await mend(target, out);
    const findings = fixed?.findings ?? verdict.findings;
    const isAccepted = !findings.some(({ severity }) => severity === 'error');
    if (isJson)
      terminal.json({
        data: {
          subject: verdict.subject,
          accepted: isAccepted,
          stickers: verdict.stickers,
          findings: verdict.findings.map(findingJson),
          ...(fixed ? { fixed: { path: out, findings: fixed.findings.map(findingJson) } } : {}),
        },
      });
    else {
      if (verdict.findings.length > 0) terminal.table(['STATE', 'RULE', 'WHERE', 'WHAT'], verdict.findings.map(rowOf));
      for (const rule of new Set(verdict.findings.map((one) => one.rule))) {
        const one = verdict.findings.find((found) => found.rule === rule);
        if (one) terminal.say(`${rule}: ${one.remedy}${one.isMended ? ' (Mended on upload or download.)' : ''}`);
      }
      if (fixed) terminal.say(`Wrote ${out}: ${fixed.findings.length} findings left.`);
      terminal.say(isAccepted ? 'WhatsApp takes it.' : 'WhatsApp refuses it as it is.');
    }
    return isAccepted ? 0 : 1;
  },
};

async function judge(
  target: string,
  identifier: string | undefined,
  session: Session,
  out: string | undefined,
): Promise<Verdict> {
  const found = await stat(target).catch(() => null);
  const isFile = found?.isFile() === true;
  if (out !== undefined && !isFile) throw new UsageError('--fix mends one sticker file.');
  if (found?.isDirectory() === true) {
    const { stickerCount, findings } = await validatePackFile(await openFolder(target), {
      identifier,
      mayBeLoose: true,
    });
    return { subject: 'folder', stickers: stickerCount, findings };
  }
  if (isFile) return judgeFile(target, identifier, out);
  if (!packKeyPattern.test(target))
    throw new UsageError(`There is no file "${target}", and the key of a pack has a-z, 0-9 and "-" only.`);
  return judgePack(target, session);
}

async function judgeFile(target: string, identifier: string | undefined, out: string | undefined): Promise<Verdict> {
  const bytes = await readBounded(target);
  if (!isZip(bytes)) return { subject: 'file', stickers: 1, findings: validateSticker(bytes).findings };
  if (out !== undefined) throw new UsageError('--fix mends one sticker file, not a zip: import it instead.');
  const zip = await openZip(bytes);
  try {
    const { stickerCount, findings } = await validatePackFile(zip, { identifier, mayBeLoose: true });
    return { subject: 'zip', stickers: stickerCount, findings };
  } finally {
    zip.close();
  }
}

/** The words as the catalogue has them, and the files as they are served. */
async function judgePack(packKey: string, session: Session): Promise<Verdict> {
  const reader = createCatalogueReader({ database: await session.database() }, { ageDecayDays });
  const { view, stickers } = await reader.readPack(packKey, operator);
  const findings = findingsOfPack(view.pack, stickers).filter(({ isMended }) => !isMended);
  const store = (await session.stickerStorage()).store;
  for (const { stickerId, stickerSha256, status } of stickers) {
    if (status !== 'ready' || stickerSha256 === null) continue;
    const bytes = await store.read('sticker', stickerSha256).catch((error: unknown) => {
      throw new AppError('unavailable', `The file of sticker ${stickerId} is not under STICKER_DATA_DIR.`, {
        cause: error,
      });
    });
    findings.push(...about(stickerId, validateSticker(bytes).findings));
  }
  return { subject: 'pack', stickers: stickers.length, findings };
}

/** @throws AppError of what cannot be mended */
async function mend(target: string, out: string): Promise<{ findings: Finding[] }> {
  const probe = await probeImage(target);
  const { sticker } = await makeDerivatives(target, probe, {
    packId: 'stickers',
    packName: path.parse(target).name.slice(0, 120),
    publisher: '',
    emojis: [],
  });
  await writeFile(out, sticker.bytes, { flag: 'wx' }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw new UsageError(`"${out}" is there already.`);
    throw error;
  });
  return validateSticker(sticker.bytes);
}

async function openFolder(folder: string): Promise<PackSource> {
  const names: string[] = [];
  const walk = async (inner: string): Promise<void> => {
    for (const entry of await readdir(path.join(folder, inner), { withFileTypes: true })) {
      const name = path.posix.join(inner, entry.name);
      if (entry.isDirectory()) await walk(name);
      else if (entry.isFile()) names.push(name);
      if (names.length > mostFiles) throw new UsageError(`"${folder}" has more than ${mostFiles} files: is it a pack?`);
    }
  };
  await walk('');
  return { names, read: (name) => readBounded(path.join(folder, name)) };
}

/** @throws UsageError when it is larger than any upload may be */
async function readBounded(file: string): Promise<Buffer> {
  await using handle = await open(file, 'r');
  const { size } = await handle.stat();
  if (size > imageLimits.maxBytes)
    throw new UsageError(`"${file}" has ${size} bytes; at most ${imageLimits.maxBytes} are looked at.`);
  return await readFile(handle);
}

function rowOf({ severity, rule, subject, message }: Finding): string[] {
  return [severity, rule, printable(subject ?? ''), printable(message)];
}

function findingJson({ rule, severity, message, remedy, isMended, subject }: Finding) {
  return { rule, severity, message, remedy, fixed_automatically: isMended, subject };
}

export const validate: Group = {
  name: 'validate',
  summary: 'Whether WhatsApp takes a sticker or a pack',
  commands: [judgeIt],
};
