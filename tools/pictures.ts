/** `npm run pictures`: takes the README's screenshots again, from the pages of the `npm start` that runs here, with its demo. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { locateChromium } from '@omnizap/embedded';
import { z } from 'zod';
import { takeScreenshots } from './pictures/take-screenshots.ts';
import { readDevCredentials } from './seed/dev-credentials.ts';

const root = path.resolve(import.meta.dirname, '..');
const usage = 'usage: npm run pictures\n';

async function main(args: string[]): Promise<number> {
  if (args.length > 0) {
    process.stderr.write(usage);
    return 2;
  }
  for (const { file, bytes } of await screenshots()) process.stdout.write(`${file}: ${bytes} bytes\n`);
  return 0;
}

async function screenshots(): Promise<{ file: string; bytes: number }[]> {
  const dataDir = path.resolve(process.env.STICKER_DATA_DIR || 'data');
  const runtimeFile = path.join(dataDir, 'runtime.json');
  const { api_url: apiUrl } = z.object({ api_url: z.url() }).parse(JSON.parse(await readFile(runtimeFile, 'utf8')));
  const credentials = await readDevCredentials(dataDir);
  if (!credentials) throw new Error(`${dataDir} has no dev-credentials.json: is the demo catalogue there?`);
  const log = (line: string): void => void process.stderr.write(`pictures: ${line}\n`);
  const browser = await locateChromium({ cacheDir: path.join(root, '.cache/chromium'), log });
  if (!browser) throw new Error('There is no browser to take screenshots with.');
  return await takeScreenshots({
    ...{ browser, apiUrl, ownerKey: credentials.owner_key },
    folder: path.join(root, 'runbooks/images'),
  });
}

try {
  process.exit(await main(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`pictures: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
