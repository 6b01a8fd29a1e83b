/** Screenshots of the pages for people who have not started it yet, small enough to be committed. */
import path from 'node:path';
import { openBrowser, type BrowserInstallation, type VisitOptions } from '@omnizap/testkit';
import sharp from 'sharp';
import { z } from 'zod';

type Shot = VisitOptions & {
  name: string;
  path: (packs: { still: string; animated: string }) => string;
  /** As the demo's owner sees it. */
  isSignedIn?: boolean;
};

/** The demo is the same everywhere, and so are these. */
const shots: Shot[] = [
  { name: 'home-desktop', path: () => '/', viewport: 'desktop' },
  { name: 'home-phone', path: () => '/', viewport: 'phone', deviceScaleFactor: 2, locale: 'pt-BR' },
  { name: 'gallery-desktop', path: () => '/stickers', viewport: 'desktop' },
  { name: 'gallery-phone', path: () => '/stickers', viewport: 'phone', deviceScaleFactor: 2, colorScheme: 'dark' },
  { name: 'pack-desktop', path: ({ still }) => `/stickers/${still}`, viewport: 'desktop' },
  {
    name: 'pack-phone',
    path: ({ animated }) => `/stickers/${animated}`,
    viewport: 'phone',
    deviceScaleFactor: 2,
    locale: 'pt-BR',
  },
  { name: 'owner-desktop', path: ({ still }) => `/user/packs/${still}`, isSignedIn: true, viewport: 'desktop' },
  {
    name: 'owner-phone',
    path: () => '/user',
    isSignedIn: true,
    viewport: 'phone',
    deviceScaleFactor: 2,
    locale: 'pt-BR',
  },
];

const listSchema = z.object({ data: z.array(z.object({ pack_key: z.string(), is_animated: z.boolean() })) });

type Options = { browser: BrowserInstallation; apiUrl: string; ownerKey: string; folder: string };

/** Returns what it wrote into `folder`, with its size in bytes. @throws Error when the catalogue lacks a still or an animated pack */
export async function takeScreenshots(options: Options): Promise<{ file: string; bytes: number }[]> {
  const { apiUrl, ownerKey, folder } = options;
  const answer = await fetch(`${apiUrl}/api/sticker-packs?limit=60`);
  const { data } = listSchema.parse(await answer.json());
  const keyOf = (isAnimated: boolean): string => {
    const pack = data.find((one) => one.is_animated === isAnimated);
    if (!pack)
      throw new Error(`${apiUrl} has no ${isAnimated ? 'animated' : 'still'} pack: is the demo catalogue there?`);
    return pack.pack_key;
  };
  const packs = { still: keyOf(false), animated: keyOf(true) };
  const browser = await openBrowser(options.browser);
  const written: { file: string; bytes: number }[] = [];
  try {
    for (const { name, path: pathOf, isSignedIn = false, ...visitOptions } of shots) {
      const { page, close } = await browser.visit(visitOptions);
      if (isSignedIn) {
        await page.goto(`${apiUrl}/user`);
        await page.locator('input[name=key]').fill(ownerKey);
        await page.keyboard.press('Enter');
        await page.locator('[data-csrf-token]').waitFor();
      }
      await page.goto(`${apiUrl}${pathOf(packs)}`, { waitUntil: 'networkidle' });
      const file = `${name}.webp`;
      const { size } = await sharp(await page.screenshot())
        .webp({ quality: 82, effort: 6 })
        .toFile(path.join(folder, file));
      written.push({ file, bytes: size });
      await close();
    }
  } finally {
    await browser.close();
  }
  return written;
}
