/** Which subjects a percentage means. */
import murmurhash from 'murmurhash';

/**
 * 1 to 100. The Unleash contract: MurmurHash3 (x86, 32 bit, seed 0) of `<group>:<subject>` in UTF-8, modulo 100, plus 1. The flag's
 * name is the group, so that the first tenth of one flag is not the first tenth of another.
 */
export function bucketOf(group: string, subject: string): number {
  return (murmurhash.v3(`${group}:${subject}`, 0) % 100) + 1;
}
