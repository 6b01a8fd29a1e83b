import { describe, expect, it } from '@jest/globals';
import { parse, v4 as uuidv4 } from 'uuid';
import { packIds, unpackIds } from './ranking-store.ts';

describe('packIds', () => {
  it('keeps ids in order, 16 bytes each, as the standard writes them', () => {
    const ids = Array.from({ length: 3_000 }, () => uuidv4());

    const bytes = packIds(ids);

    expect(bytes).toHaveLength(48_000);
    expect(bytes.subarray(16, 32)).toEqual(Buffer.from(parse(ids[1] ?? '')));
    expect(unpackIds(bytes)).toEqual(ids);
  });

  it('packs nothing into nothing', () => {
    expect(packIds([])).toHaveLength(0);
    expect(unpackIds(Buffer.alloc(0))).toEqual([]);
  });
});
