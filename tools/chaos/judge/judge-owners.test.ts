import { describe, expect, it } from '@jest/globals';
import type { JobChange } from '../final-tables.ts';
import { bucketOf } from '../flags/flip.ts';
import type { FlagName, Flip } from '../flags/flip.ts';
import type { Span } from '../starvation.ts';
import { judgeLanes, judgeOwners } from './judge-owners.ts';
import { jobChange } from './evidence.ts';

const change = (atMs: number, state: string | null, queue: string, about: Partial<JobChange> = {}): JobChange =>
  jobChange(atMs, state, { queue, port: 7, ...about });
const other = { jobId: 'job-2', subject: 'pack-2' };
const endedAt = 100_000;

describe('a task without an owner', () => {
  const owners = (jobs: JobChange[], excuses: Span[] = [], starved: Span[] = []) =>
    judgeOwners(jobs, [], { excuses, starved }, endedAt).map(({ kind }) => kind);

  it('is one that waits where nobody takes anything for more than 20 s, claimed in the end or not', () => {
    expect(owners([change(10_000, 'created', 'rebuild.stable'), change(29_000, 'active', 'rebuild.stable')])).toEqual(
      [],
    );
    expect(owners([change(10_000, 'created', 'rebuild.stable'), change(31_000, 'active', 'rebuild.stable')])).toEqual([
      'no_owner',
    ]);
    expect(owners([change(10_000, 'created', 'rebuild.stable')])).toEqual(['no_owner']);
  });

  it('is none while others are taken from its queue: that is a backlog', () =>
    expect(
      owners([
        change(10_000, 'created', 'rebuild.stable'),
        change(25_000, 'active', 'rebuild.stable', other),
        change(26_000, 'completed', 'rebuild.stable', other),
        change(40_000, 'active', 'rebuild.stable'),
      ]),
    ).toEqual([]));

  it('is one that is moved about without being taken', () => {
    const moved = (atMs: number, from: string, to: string) => [
      change(atMs, null, from),
      change(atMs + 1, 'created', to, { operation: 'insert' }),
    ];
    expect(
      owners([
        change(10_000, 'created', 'rebuild.stable'),
        ...moved(18_000, 'rebuild.stable', 'rebuild.inline'),
        ...moved(26_000, 'rebuild.inline', 'rebuild.stable'),
        change(32_000, 'active', 'rebuild.stable'),
      ]),
    ).toEqual(['no_owner']);
  });

  it('is none before it is due, nor while it cannot be expected that others come', () => {
    const late = [
      change(10_000, 'created', 'rebuild.stable', { startAfterMs: 20_000 }),
      change(38_000, 'active', 'rebuild.stable'),
    ];
    expect(owners(late)).toEqual([]);
    const waiting = [change(10_000, 'created', 'rebuild.stable'), change(45_000, 'active', 'rebuild.stable')];
    expect(owners(waiting, [{ fromMs: 20_000, toMs: 30_000 }])).toEqual([]);
    // The clock of 20 s starts anew, it is not gone.
    expect(owners(waiting, [{ fromMs: 12_000, toMs: 20_000 }])).toEqual(['no_owner']);
    // Without processors it stands still.
    expect(owners(waiting, [], [{ fromMs: 12_000, toMs: 20_000 }])).toEqual(['no_owner']);
    expect(
      owners(
        waiting,
        [],
        [
          { fromMs: 12_000, toMs: 20_000 },
          { fromMs: 24_000, toMs: 32_000 },
        ],
      ),
    ).toEqual([]);
  });

  it('is one that stays with a dead worker', () => {
    const rescue = { slot: 'rebuild-1', jobId: 'job-1', queue: 'rebuild.stable', atMs: 10_000, seconds: 60 };
    const freedAt = (atMs: number) => ({ ...rescue, changes: [change(atMs, 'retry', 'rebuild.stable')] });

    expect(judgeOwners([], [freedAt(35_000)], { excuses: [], starved: [] }, endedAt).map(({ kind }) => kind)).toEqual([
      'no_owner',
    ]);
    expect(judgeOwners([], [freedAt(18_000)], { excuses: [], starved: [] }, endedAt)).toEqual([]);
  });
});

describe('a task in the wrong lane', () => {
  const canaryFlag: FlagName = 'enable_worker_canary_release';
  const dedicatedFlag: FlagName = 'enable_worker_dedicated_processes';
  const bucket = bucketOf(canaryFlag, 'pack-1');
  const flipTo = (flag: FlagName, askedAt: number, percent: number): Flip => ({
    flags: [flag],
    state: { isEnabled: percent > 0, percent },
    how: 'sql',
    askedAt,
    answeredAt: askedAt + 5,
    isCertain: true,
  });
  const worked = (atMs: number, queue: string) => [change(atMs, 'active', queue), change(atMs + 9, 'completed', queue)];
  const lanes = (jobs: JobChange[], flips: Flip[], heardMs?: number, isInlineServed = true) =>
    judgeLanes({
      jobs,
      flips,
      heard:
        heardMs === undefined
          ? []
          : flips.slice(-1).map(({ askedAt, flags }) => ({
              flag: flags[0] as FlagName,
              slot: 'rebuild-canary',
              askedAt,
              atMs: askedAt + heardMs,
            })),
      isInlineServed: () => isInlineServed,
      slotOf: (port) => (port === 7 ? 'rebuild-canary' : undefined),
    }).map(({ kind }) => kind);

  it('is what a canary works beyond its share, once it can know', () => {
    const share = [flipTo(canaryFlag, 1_000, bucket), flipTo(canaryFlag, 50_000, bucket - 1)];

    expect(lanes(worked(40_000, 'rebuild.canary'), share)).toEqual([]);
    expect(lanes(worked(51_000, 'rebuild.canary'), share)).toEqual([]);
    expect(lanes(worked(51_000, 'rebuild.canary'), share, 500)).toEqual(['wrong_lane']);
    expect(lanes(worked(51_000, 'rebuild.canary'), share, 1_400)).toEqual([]);
    expect(lanes(worked(66_000, 'rebuild.canary'), share)).toEqual(['wrong_lane']);
    expect(lanes(worked(40_000, 'rebuild.canary'), [])).toEqual(['wrong_lane']);
  });

  it('is what a dedicated worker works while they are off', () => {
    const off = [flipTo(dedicatedFlag, 50_000, 0)];

    expect(lanes(worked(49_000, 'rebuild.stable'), off)).toEqual([]);
    expect(lanes(worked(52_000, 'rebuild.stable'), off, 900)).toEqual(['wrong_lane']);
    expect(lanes(worked(52_000, 'rebuild.inline'), off, 900)).toEqual([]);
  });

  it('is what a dedicated worker takes from the inline poller, unless that is gone', () => {
    const less = [flipTo(dedicatedFlag, 50_000, bucketOf(dedicatedFlag, 'pack-1') - 1)];

    expect(lanes(worked(52_000, 'rebuild.stable'), less, 900)).toEqual(['wrong_lane']);
    expect(lanes(worked(52_000, 'rebuild.stable'), less, 900, false)).toEqual([]);
  });

  it('is none when it is only claimed to be handed on', () =>
    expect(lanes([change(40_000, 'active', 'rebuild.canary'), change(40_001, 'retry', 'rebuild.stable')], [])).toEqual(
      [],
    ));
});
