import { describe, expect, it } from '@jest/globals';
import type { AssetsSeen } from '../storage/asset-figures.ts';
import { measureAssets, phaseOf } from '../storage/asset-figures.ts';
import type { AssetRecord, BreakerLook } from '../storage/asset-records.ts';
import { judgeAssets } from './judge-assets.ts';

const killedAt = 10_000;
const outage = { killedAt, revivedAt: killedAt + 6_000, answersAt: killedAt + 7_000 };
const calm = { isElse: () => false, isDisturbed: () => false, isFlagMoved: false };

/** An answer from here, 20 ms after it was asked for. */
const asked = (startedAt: number, about: Partial<AssetRecord> = {}): AssetRecord => ({
  ...{ path: '/a.webp', way: 'whole', startedAt, answeredAt: startedAt + 20, endedAt: startedAt + 20, status: 200 },
  ...{ handedOutAt: null, problem: null, isLate: false, isExplained: false },
  ...about,
});
/** Sent to the bucket, 10 ms after it asked. */
const sent = (handedOutAt: number, about: Partial<AssetRecord> = {}): AssetRecord =>
  asked(handedOutAt - 10, { answeredAt: handedOutAt, handedOutAt, endedAt: handedOutAt + 10, ...about });
const broken = { status: 0, problem: 'ECONNREFUSED' };
const look = (atMs: number, isUsable: boolean, fromBucket: number, pid = 1): BreakerLook => ({
  ...{ atMs, isUsable, fromBucket, pid },
});

/** As it should go: left alone a second after the kill, used again a second after the return. */
function cleanSeen(mode: AssetsSeen['mode'] = 'proxy'): AssetsSeen {
  return {
    mode,
    records: Array.from({ length: 300 }, (_, index) => asked(index * 100)),
    looks: [
      look(9_500, true, 100),
      look(killedAt + 500, true, 101),
      look(killedAt + 1_500, false, 101),
      look(outage.answersAt - 100, false, 101),
      look(outage.answersAt + 1_000, true, 102),
      look(outage.answersAt + 8_000, true, 200),
    ],
    outages: [outage],
  };
}
const kindsOf = (seen: AssetsSeen, conditions = calm): string[] =>
  judgeAssets(seen, conditions).map(({ kind }) => kind);
const withRecord = (record: AssetRecord, mode: AssetsSeen['mode'] = 'proxy'): AssetsSeen => {
  const seen = cleanSeen(mode);
  return { ...seen, records: [...seen.records, record] };
};

describe("the checker of stickers' bytes", () => {
  it.each(['proxy', 'redirect'] as const)('finds nothing in a clean run in mode %s', (mode) =>
    expect(judgeAssets(cleanSeen(mode), calm)).toEqual([]),
  );

  it.each([
    ['a reset connection', { status: 0, problem: 'ECONNRESET' }],
    ['an answer 500', { status: 500, problem: 'answered 500 instead of 200' }],
    ['wrong bytes', { problem: '500 bytes with the SHA-256 00' }],
    ['an answer that came too late', { status: 503, problem: 'answered 503 instead of 200', isLate: true }],
  ])('calls it failed when there was %s, dead bucket or not', (_title, about) => {
    for (const atMs of [5_000, killedAt + 1_000])
      for (const mode of ['proxy', 'redirect'] as const)
        expect(kindsOf(withRecord(asked(atMs, about), mode))).toEqual(['failed_asset']);
  });

  it('excuses what something else explains, and lateness, but no wrong bytes, without processors', () => {
    const starved = { ...calm, isDisturbed: () => true };
    const wrong = asked(5_000, { problem: 'wrong bytes' });
    const late = asked(5_000, { status: 0, problem: 'timeout', isLate: true });

    expect(kindsOf(withRecord({ ...wrong, isExplained: true }))).toEqual([]);
    expect(kindsOf(withRecord(wrong), { ...calm, isElse: () => true })).toEqual([]);
    expect(kindsOf(withRecord(late), starved)).toEqual([]);
    expect(kindsOf(withRecord(wrong), starved)).toEqual(['failed_asset']);
  });

  it('lets an address fail that was handed out before the kill or until the API could know', () => {
    for (const atMs of [killedAt - 5, killedAt + 2_500])
      expect(kindsOf(withRecord(sent(atMs, broken), 'redirect'))).toEqual([]);
    expect(kindsOf(withRecord(sent(killedAt + 2_500, broken), 'proxy'))).toEqual(['failed_asset', 'failed_asset']);
  });

  it('calls it failed when an address fails that was handed out later, or while the bucket lived', () => {
    for (const atMs of [5_000, outage.answersAt + 3_000])
      expect(kindsOf(withRecord(sent(atMs, broken), 'redirect'))).toEqual(['failed_asset']);
    expect(kindsOf(withRecord(sent(killedAt + 5_500, broken), 'redirect'))).toEqual(['failed_asset', 'late_redirect']);
  });

  it('calls it a late redirect when clients are sent to a bucket that died more than 5 s ago', () =>
    expect(kindsOf(withRecord(sent(killedAt + 5_500), 'redirect'))).toEqual(['late_redirect']));

  it('calls it slow when a hundredth of the answers takes more than 3 s', () => {
    const seen = cleanSeen();
    const slow = (record: AssetRecord): AssetRecord => ({ ...record, answeredAt: record.startedAt + 3_500 });
    seen.records = seen.records.map((record, index) => (index < 5 ? slow(record) : record));

    expect(kindsOf(seen)).toEqual(['slow_asset']);
    expect(kindsOf({ ...seen, records: seen.records.map((record) => ({ ...record, isExplained: true })) })).toEqual([]);
  });

  it('calls it a stuck breaker when a process goes on with a dead bucket', () => {
    const seen = cleanSeen();
    seen.looks = seen.looks.map((entry) => ({ ...entry, isUsable: true }));

    expect(kindsOf(seen)).toEqual(['stuck_breaker']);
    expect(kindsOf(seen, { ...calm, isFlagMoved: true })).toEqual([]);
  });

  it('calls it a stuck breaker when one of two processes does not come back to a live bucket', () => {
    const seen = cleanSeen();
    const other = seen.looks.map((entry) => ({ ...entry, pid: 2, fromBucket: 7 }));
    const both = { ...seen, looks: [...seen.looks, ...other] };

    expect(kindsOf(both)).toEqual(['stuck_breaker']);
    expect(measureAssets(both).usedAgainMs).toEqual([null]);
  });
});

it('measures each phase, the last address after a kill and the return', () => {
  const seen = cleanSeen('redirect');
  seen.records = [
    asked(1_000),
    sent(killedAt + 900, broken),
    sent(killedAt + 1_800),
    sent(outage.revivedAt + 500),
    asked(30_000, { problem: 'x', isExplained: true }),
  ];

  expect(measureAssets(seen)).toMatchObject({
    phases: {
      before: { asked: 1, failed: 0, redirected: 0, p50Ms: 20, p99Ms: 20 },
      dead: { asked: 3, failed: 1, redirected: 3 },
      after: { asked: 0 },
    },
    lastHandedOutMs: [1_800],
    usedAgainMs: [1_000],
  });
  expect([9_999, 10_000, 17_000, 17_001].map((atMs) => phaseOf(atMs, [outage]))).toEqual([
    ...['before', 'dead', 'dead', 'after'],
  ]);
});
