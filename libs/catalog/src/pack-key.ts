/** Public names of packs: readable, unique, unguessable enough not to collide. */
import { randomInt } from 'node:crypto';

const alphabet = '0123456789abcdefghijklmnopqrstuvwxyz';

/**
 * `<slug of the name, at most 32 characters>-<6 random base-36 characters>`. `draw` gives whole numbers from 0 to below its
 * argument.
 */
export function createPackKey(name: string, draw: (count: number) => number = (count) => randomInt(count)): string {
  const slug = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 32)
    .replace(/^-+|-+$/g, '');
  const suffix = Array.from({ length: 6 }, () => alphabet[draw(alphabet.length)]).join('');
  return `${slug === '' ? 'pack' : slug}-${suffix}`;
}
