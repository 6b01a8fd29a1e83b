import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Version of the product, from the package.json of the library's own release. */
export const productVersion: string = (
  JSON.parse(readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8')) as { version: string }
).version;
