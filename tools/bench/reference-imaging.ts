/** What the machine can do with the same files when sharp alone works: the reference for the classification worker. */
import sharp from 'sharp';

/** Decodes every frame of each file to pixels. */
export async function decodeBare(files: string[], concurrency: number): Promise<void> {
  await forEachFile(files, concurrency, async (file) => {
    await sharp(file, { animated: true }).raw().toBuffer();
  });
}

/** Decodes each file and encodes it as WebP once, with sharp's default effort. */
export async function encodeBare(files: string[], concurrency: number): Promise<void> {
  await forEachFile(files, concurrency, async (file) => {
    await sharp(file).webp({ quality: 90 }).toBuffer();
  });
}

async function forEachFile(files: string[], concurrency: number, work: (file: string) => Promise<void>): Promise<void> {
  sharp.concurrency(1);
  sharp.cache(false);
  const waiting = files.values();
  const next = async (): Promise<void> => {
    for (const file of waiting) await work(file);
  };
  await Promise.all(Array.from({ length: concurrency }, next));
}
