import { describe, expect, it } from '@jest/globals';
import { cleanEvidence } from './evidence.ts';
import { judgeObjects } from './judge-objects.ts';
import type { BucketObject, ObjectRow } from './judge-objects.ts';

const original = 'a'.repeat(64);
const sticker = 'b'.repeat(64);
const preview = 'c'.repeat(64);
const stray = 'd'.repeat(64);

const undamaged = { damagedContent: [] };

type Seen = { tables: ReturnType<typeof cleanEvidence>['tables']; objects: BucketObject[]; rows: ObjectRow[] };

function cleanSeen(): Seen {
  const { tables } = cleanEvidence();
  tables.derivatives = [
    { assetId: 'asset-1', variant: 'sticker', version: 1, sha256: sticker },
    { assetId: 'asset-1', variant: 'preview', version: 1, sha256: preview },
  ];
  return {
    tables,
    objects: [
      { key: `stickers/original/aa/${original}`, sha256: original },
      { key: `stickers/sticker/bb/${sticker}.webp`, sha256: sticker },
      { key: `stickers/preview/cc/${preview}.webp`, sha256: preview },
    ],
    rows: [
      ['original', original],
      ['sticker', sticker],
      ['preview', preview],
    ].map(([kind = '', sha256 = '']) => ({ kind, sha256, isVerified: true, isGoing: false })),
  };
}

describe('the checker of the bucket', () => {
  it('finds nothing where the bucket has what ready stickers need', () => {
    const { tables, ...bucket } = cleanSeen();
    expect(judgeObjects(tables, bucket, undamaged)).toEqual([]);
  });

  it.each<[string, (seen: Seen) => void]>([
    ['an object is missing', ({ objects }) => objects.pop()],
    ['an object has other bytes', ({ objects }) => Object.assign(objects[1] ?? {}, { sha256: stray })],
    ['an object was never verified', ({ rows }) => Object.assign(rows[2] ?? {}, { isVerified: false })],
    ['an object is not known', ({ rows }) => rows.pop()],
    ['an object is there that no sticker wants', ({ objects }) => objects.push({ key: 'stickers/x', sha256: stray })],
    [
      'an object is known that no sticker wants',
      ({ rows }) => rows.push({ kind: 'sticker', sha256: stray, isVerified: false, isGoing: false }),
    ],
    ['a removal never ended', ({ rows }) => Object.assign(rows[0] ?? {}, { isGoing: true })],
  ])('calls it a wrong object when %s', (_title, breakIt) => {
    const seen = cleanSeen();
    breakIt(seen);
    const { tables, ...bucket } = seen;
    expect(judgeObjects(tables, bucket, undamaged).map(({ kind }) => kind)).toEqual(['wrong_object']);
  });

  it('calls all objects wrong of a sticker that is not ready, and excuses what a dead letter answers for', () => {
    const { tables, ...bucket } = cleanSeen();
    const dead = { taskId: 't', taskType: 'storage', subjectId: 'asset-1', error: 'damaged' };

    expect(judgeObjects({ ...tables, deadTasks: [dead] }, { objects: [], rows: [] }, undamaged)).toEqual([]);
    tables.assets = tables.assets.map((asset) => ({ ...asset, status: 'rejected' }));
    expect(judgeObjects(tables, bucket, undamaged)).toHaveLength(6);
  });

  it('requires nothing of a sticker whose pack was deleted, and believes no row that says more than the bucket has', () => {
    const { tables, ...bucket } = cleanSeen();
    tables.packs = tables.packs.map((pack) => ({ ...pack, isDeleted: true }));

    expect(judgeObjects(tables, bucket, undamaged)).toEqual([]);
    expect(judgeObjects(tables, { objects: [], rows: [] }, undamaged)).toEqual([]);
    expect(judgeObjects(tables, { ...bucket, objects: [] }, undamaged)).toHaveLength(3);
  });

  it('excuses what a damaged file keeps from the bucket, and not its bytes there', () => {
    const { tables, ...bucket } = cleanSeen();
    const damaged = { damagedContent: [original] };

    expect(judgeObjects(tables, { objects: [], rows: [] }, damaged)).toEqual([]);
    Object.assign(bucket.objects[0] ?? {}, { sha256: stray });
    expect(judgeObjects(tables, bucket, damaged).map(({ kind }) => kind)).toEqual(['wrong_object']);
  });
});
