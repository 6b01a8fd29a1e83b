/** `npm run pictures -- art`: the pages' pictures, from their drawings. */
import path from 'node:path';
import { drawArt } from './pictures/draw-art.ts';

const root = path.resolve(import.meta.dirname, '..');
const usage = 'usage: npm run pictures -- art\n';

async function main([command, ...rest]: string[]): Promise<number> {
  if (rest.length > 0 || command !== 'art') {
    process.stderr.write(usage);
    return 2;
  }
  for (const { file, bytes } of await drawArt(path.join(root, 'apps/console/art')))
    process.stdout.write(`${file}: ${bytes} bytes\n`);
  return 0;
}

process.exit(await main(process.argv.slice(2)));
