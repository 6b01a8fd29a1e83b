/** `npm run ops -- validate` on files and folders: it needs nothing that runs, and no settings. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildZip, drawPng } from '@omnizap/testkit';
import { runOps, type Run } from './run-ops.ts';

type Report = {
  data: {
    subject: string;
    accepted: boolean;
    stickers: number;
    findings: { rule: string; subject: string | null; fixed_automatically: boolean }[];
    fixed?: { path: string; findings: object[] };
  };
};

let folder: string;
const at = (name: string): string => path.join(folder, name);
const validate = async (...args: string[]): Promise<Run> => await runOps({}, 'validate', ...args);
const rulesOf = (run: Run): string[] => [...new Set(run.json<Report>().data.findings.map(({ rule }) => rule))];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'validate-'));
  await writeFile(at('photo.png'), drawPng(1, 64));
});
afterAll(async () => await rm(folder, { recursive: true, force: true }));

describe('validate', () => {
  it('says what is wrong with a file, writes it as WhatsApp takes it, and then has nothing to say', async () => {
    const refused = await validate(at('photo.png'), '--json');
    expect([refused.code, rulesOf(refused)]).toEqual([1, ['webp-format', 'canvas-size']]);

    const fixed = await validate(at('photo.png'), '--fix', at('sticker.webp'), '--json');
    expect([fixed.code, fixed.json<Report>().data.fixed?.findings]).toEqual([0, []]);
    const bytes = await readFile(at('sticker.webp'));
    expect([bytes.toString('latin1', 8, 12), bytes.readUIntLE(24, 3) + 1, bytes.readUIntLE(27, 3) + 1]).toEqual([
      ...['WEBP', 512, 512],
    ]);
    const accepted = await validate(at('sticker.webp'), '--json');
    expect([accepted.code, accepted.json<Report>().data.accepted, rulesOf(accepted)]).toEqual([0, true, []]);
    expect((await validate(at('photo.png'), '--fix', at('sticker.webp'))).code).toBe(2);
  }, 60_000);

  it('judges a zip and a folder as packs', async () => {
    const sticker = await readFile(at('sticker.webp'));
    const parts = [
      { name: 'title.txt', bytes: 'Two' },
      { name: 'author.txt', bytes: 'Ana' },
      { name: 'tray.png', bytes: drawPng(2, 96) },
      { name: '1.webp', bytes: sticker },
      { name: '2.webp', bytes: drawPng(3) },
    ];
    await writeFile(at('two.wastickers'), buildZip(parts));
    await mkdir(at('two'));
    for (const { name, bytes } of parts) await writeFile(at(path.join('two', name)), bytes);

    for (const [name, subject] of [
      ['two.wastickers', 'zip'],
      ['two', 'folder'],
    ] as const) {
      const run = await validate(at(name), '--json');
      expect([run.code, run.json<Report>().data.subject, run.json<Report>().data.stickers]).toEqual([1, subject, 2]);
      expect(rulesOf(run)).toEqual(['pack-stickers-min', 'sticker-emojis', 'webp-format', 'canvas-size']);
    }
  }, 60_000);

  it('answers 2 to what is neither a file nor a key, and 1 to a zip that must not be unpacked', async () => {
    await writeFile(at('evil.zip'), buildZip([{ name: '../evil.webp', bytes: 'x' }]));

    expect((await validate(at('missing.webp'))).code).toBe(2);
    expect((await validate()).code).toBe(2);
    const refused = await validate(at('evil.zip'));
    expect([refused.code, refused.err]).toEqual([1, expect.stringMatching(/leaves its folder/)]);
  }, 60_000);
});
