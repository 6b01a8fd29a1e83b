import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildZip, type ZipPart } from '@omnizap/testkit';
import { isAppError } from '@omnizap/runtime';
import { isZip, openZip } from './zip-reader.ts';
import { writeZip, type ZipItem } from './zip-writer.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'zip-reader-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const limits = { maxEntries: 10, maxEntryBytes: 100_000, maxTotalBytes: 200_000, maxRatio: 50 };
const plain = (name: string | Buffer): ZipPart => ({ name, bytes: 'content' });

async function readAll(zip: Buffer): Promise<Record<string, string>> {
  const opened = await openZip(zip, limits);
  const files: Record<string, string> = {};
  for (const name of opened.names) files[name] = (await opened.read(name)).toString('utf8');
  opened.close();
  return files;
}

async function* items(list: ZipItem[]): AsyncGenerator<ZipItem> {
  for (const item of list) yield await Promise.resolve(item);
}

describe('openZip', () => {
  it('reads stored and deflated files, and leaves folders out', async () => {
    const zip = buildZip([
      { name: 'pack/', bytes: '' },
      { name: 'pack/título.txt', bytes: 'Olá' },
      { name: 'pack/long.txt', bytes: 'x'.repeat(3_000), deflate: true },
    ]);

    expect(isZip(zip)).toBe(true);
    expect(await readAll(zip)).toEqual({ 'pack/título.txt': 'Olá', 'pack/long.txt': 'x'.repeat(3_000) });
  });

  it('says that anything else is no zip file', async () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from('no zip'), buildZip([plain('a')]).subarray(0, 60)])
      await expect(openZip(bytes, limits)).rejects.toMatchObject({ code: 'pack-file-invalid' });
  });

  const zeros = (bytes: number): ZipPart => ({ name: 'zeros', bytes: Buffer.alloc(bytes), deflate: true });
  it.each<[string, ZipPart[], RegExp]>([
    ['a parent folder', [plain('../evil.webp')], /leaves its folder/],
    ['a parent folder within', [plain('a/../../evil.webp')], /leaves its folder/],
    ['an absolute name', [plain('/etc/passwd')], /absolute/],
    ['a drive', [plain('C:/evil.webp')], /absolute/],
    ['a backslash', [plain('..\\evil.webp')], /backslash/],
    ['an empty part', [plain('a//b')], /leaves its folder/],
    ['NUL', [plain('a.webp\0.exe')], /control/],
    ['letters that turn the text around', [plain('a\u202egnp.webp')], /control/],
    ['bytes that are no UTF-8', [plain(Buffer.from([0x61, 0xe9, 0x62]))], /not UTF-8/],
    ['an endless name', [plain('n'.repeat(300))], /300 bytes/],
    ['no name', [plain('')], /0 bytes/],
    ['one name twice', [plain('a.webp'), plain('a.webp')], /two entries/],
    ['one name in two cases', [plain('a.webp'), plain('A.WEBP')], /two entries/],
    ['one name in two encodings', [plain('\u00e9.webp'), plain('e\u0301.webp')], /two entries/],
    ['a symbolic link', [{ ...plain('link'), mode: 0o120777 }], /link or a device/],
    ['a device', [{ ...plain('device'), mode: 0o060644 }], /link or a device/],
    ['encryption', [{ ...plain('secret'), flags: 0x0801, deflate: true }], /encrypted/],
    ['another compression', [{ ...plain('bzip'), method: 12 }], /method 12/],
    ['too many entries', Array.from({ length: 11 }, (_, index) => plain(`${index}`)), /11 entries/],
    ['too large an entry', [{ name: 'large', bytes: Buffer.alloc(100_001) }], /100001 bytes/],
    ['a bomb', [zeros(90_000)], /unpacks \d+ bytes to 90000/],
    [
      'too much altogether',
      ['a', 'b', 'c'].map((name) => ({ name, bytes: Buffer.alloc(90_000, name) })),
      /more than 200000/,
    ],
    ['entries over the same bytes', [plain('a'), { ...plain('b'), sameDataAs: 0 }], /overlap/],
    ['a folder with content', [plain('folder/')], /has content/],
  ])('refuses %s before anything is unpacked', async (_what, parts, reason) => {
    const opening = openZip(buildZip(parts), limits);

    await expect(opening).rejects.toMatchObject({ code: 'pack-file-unsafe', message: expect.stringMatching(reason) });
  });

  it('stops unpacking where a file has more, or other, content than it says', async () => {
    const said = { name: 'more', bytes: 'x'.repeat(20_000), deflate: true, saidSize: 10 };
    await expect(readAll(buildZip([said]))).rejects.toMatchObject({ code: 'pack-file-unsafe' });
    const other = { name: 'other', bytes: 'content', saidCrc: 1 };
    await expect(readAll(buildZip([other]))).rejects.toMatchObject({ code: 'pack-file-unsafe' });
  });

  it('answers mutated zip files with a refusal or with content within the limits, and nothing else', async () => {
    const whole = buildZip([
      { name: 'title.txt', bytes: 'Cats' },
      { name: 'a.webp', bytes: Buffer.alloc(400, 'abcdef'), deflate: true },
      { name: 'b.webp', bytes: Buffer.alloc(300, 'xyz') },
    ]);
    const mutated = fc
      .tuple(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }), fc.nat(20))
      .map(([edits, cut]) => {
        const bytes = Buffer.from(whole);
        for (const [at, value] of edits) bytes[at] = value;
        return bytes.subarray(0, cut > 15 ? bytes.length - cut : bytes.length);
      });
    await fc.assert(
      fc.asyncProperty(mutated, async (bytes) => {
        try {
          const files = await readAll(bytes);
          const total = Object.values(files).reduce((sum, content) => sum + Buffer.byteLength(content), 0);
          expect(total).toBeLessThanOrEqual(limits.maxTotalBytes * 3);
        } catch (error) {
          expect(isAppError(error)).toBe(true);
        }
      }),
      { numRuns: 2_000 },
    );
  }, 60_000);
});

describe('writeZip', () => {
  const list: ZipItem[] = [
    { name: 'title.txt', bytes: Buffer.from('Cats') },
    ...Array.from({ length: 30 }, (_, index) => ({ name: `${index}.webp`, bytes: Buffer.alloc(100_000, index + 1) })),
  ];

  it('writes what the reader reads, byte for byte the same each time', async () => {
    const [first, second] = [join(folder, 'first.zip'), join(folder, 'second.zip')];
    await writeZip(first, items(list));
    await writeZip(second, items(list));

    expect((await readFile(first)).equals(await readFile(second))).toBe(true);
    const opened = await openZip(first);
    expect(opened.names).toEqual(list.map(({ name }) => name));
    expect((await opened.read('7.webp')).equals(Buffer.alloc(100_000, 8))).toBe(true);
    opened.close();
  });

  it('fails with what its items fail with', async () => {
    async function* failing(): AsyncGenerator<ZipItem> {
      yield* items(list);
      throw new Error('the last sticker is gone');
    }
    await expect(writeZip(join(folder, 'failed.zip'), failing())).rejects.toThrow('the last sticker is gone');
    await expect(writeZip(join(folder, 'no', 'such', 'folder.zip'), items(list))).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });
});
