import { describe, expect, it } from '@jest/globals';
import { parseBulkOptions } from './bulk-options.ts';

describe('parseBulkOptions', () => {
  it('asks for twenty stickers a pack and leaves catalogues in use alone, unless told otherwise', () => {
    expect(parseBulkOptions(['--packs', '100000'])).toEqual({
      ...{ packs: 100_000, stickersPerPack: 20, seed: 1, isForced: false },
    });
    expect(parseBulkOptions(['--yes', '--seed=7', '--packs=3', '--stickers-per-pack=30'])).toEqual({
      ...{ packs: 3, stickersPerPack: 30, seed: 7, isForced: true },
    });
  });

  it.each([
    [['--yes'], '--packs is missing'],
    [['--packs', '0'], '--packs must be'],
    [['--packs', '1e3'], '--packs must be'],
    [['--packs', '1000001'], '--packs must be'],
    [['--packs', '5', '--stickers-per-pack', '2'], '--stickers-per-pack must be'],
    [['--packs', '5', '--stickers-per-pack', '31'], '--stickers-per-pack must be'],
    [['--packs', '5', '--seed', '65536'], '--seed must be'],
    [['--packs', '5', '--fast'], '--fast'],
    [['--packs', '5', 'more'], 'more'],
  ])('refuses %j and says why', (args, problem) => {
    expect(() => parseBulkOptions(args)).toThrow(problem);
  });
});
