/** What `npm run db:seed -- --packs N` was asked for. */
import { parseArgs } from 'node:util';

export type BulkOptions = {
  packs: number;
  stickersPerPack: number;
  /** Other packs than those of another seed, the same ones each time. */
  seed: number;
  /** Also when the catalogue has packs that are not of this seed. */
  isForced: boolean;
};

/** Packs have numbers of 32 bits in their ids; a million is where a catalogue of one machine ends. */
const limits = { packs: [1, 1_000_000], 'stickers-per-pack': [3, 30], seed: [0, 65_535] } as const;
const defaults = { 'stickers-per-pack': 20, seed: 1 } as const;

export const bulkHelp = `npm run db:seed -- --packs N [--stickers-per-pack ${defaults['stickers-per-pack']}] [--seed ${defaults.seed}] [--yes]

Fills the catalogue with N made-up packs, straight into the database (DATABASE_URL, or that of a running "npm start"), as the
workers would have left them: classified, scored, searchable, nothing due. Every sticker shows one of 48 pictures, which are
drawn and converted first; what was uploaded is not kept, so none of them can be classified again.

  --packs N              how many in all, ${limits.packs[0]} to ${limits.packs[1]}; what an earlier run with the same seed left is gone on with
  --stickers-per-pack N  ${limits['stickers-per-pack'][0]} to ${limits['stickers-per-pack'][1]}; ${defaults['stickers-per-pack']} unless given
  --seed N               other packs than with another number, the same ones each time; ${defaults.seed} unless given
  --yes                  also when the catalogue has other packs already

Ctrl-C stops it between two packs, never inside of one; the same command goes on from there.
`;

/** @throws Error with a line for the user */
export function parseBulkOptions(args: string[]): BulkOptions {
  const { values } = parseArgs({
    args,
    options: {
      packs: { type: 'string' },
      'stickers-per-pack': { type: 'string' },
      seed: { type: 'string' },
      yes: { type: 'boolean', default: false },
    },
  });
  if (values.packs === undefined) throw new Error('--packs is missing');
  const number = (name: keyof typeof limits, text: string): number => {
    const [low, high] = limits[name];
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (!(value >= low && value <= high)) throw new Error(`--${name} must be a whole number from ${low} to ${high}`);
    return value;
  };
  return {
    packs: number('packs', values.packs),
    stickersPerPack: number('stickers-per-pack', values['stickers-per-pack'] ?? String(defaults['stickers-per-pack'])),
    seed: number('seed', values.seed ?? String(defaults.seed)),
    isForced: values.yes,
  };
}
