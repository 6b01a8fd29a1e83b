import { describe, expect, it } from '@jest/globals';
import { taskTypesOf, type Story, type StoryEvent } from '@omnizap/catalog';
import type { LiveProcess } from '@omnizap/runtime';
import type { KnownTask } from '@omnizap/tasks';
import { seconds, traceLines, type TraceFacts } from './trace-timeline.ts';

const start = Date.parse('2026-11-28T05:00:00Z');
const at = (afterMs: number): Date => new Date(start + afterMs);
const sticker = '0198c5d2-7c1e-7f3a-9b1d-3f2a6f0e9c11';

const worker = (lane: string): LiveProcess => ({
  processId: `worker-classification-${lane}`,
  processName: 'worker-classification',
  status: { lane, task_types: ['classification', 'derivative'] },
});
const relay: LiveProcess = { processId: 'relay-1', processName: 'relay', status: {} };

const appended: StoryEvent = {
  ...{ id: 41, type: 'STICKER_ASSET_CREATED', aggregateType: 'sticker_asset', aggregateId: sticker, attempts: 0 },
  ...{ status: 'pending', requestId: 'r-1', traceparent: null, payload: {}, error: null },
  ...{ createdAt: at(0), availableAt: at(0), redrivenAt: null, processedAt: null },
};
const queued: KnownTask = {
  ...{ id: 't-1', taskType: 'classification', lane: 'stable', state: 'created', subjectId: sticker, eventId: 41 },
  ...{ requestId: 'r-1', attempt: 1, createdAt: at(10), startedAt: null, completedAt: null, notBefore: null },
  ...{ claimedBy: null, error: null },
};

function facts(story: Partial<Story>, more: Partial<TraceFacts> = {}): TraceFacts {
  const none = { packIds: [], events: [], deadLetters: [], work: [], made: [], decisions: [], untakenMessages: [] };
  const ids = { subjectIds: [sticker], stickerIds: [sticker], goneStickerIds: [], requestIds: ['r-1'] };
  const empty: Story = { ...ids, ...none, isCut: false };
  return {
    story: { ...empty, ...story },
    ...{ tasks: [], live: [relay, worker('stable')], pausedTypes: [], taskTypesOf },
    ...more,
  };
}
const eventWaits = (event: Partial<StoryEvent>, live: LiveProcess[] = [relay]): (string | null)[] =>
  traceLines(facts({ events: [{ ...appended, ...event }] }, { live })).map(({ waits }) => waits);
const taskWaits = (task: Partial<KnownTask>, more: Partial<TraceFacts> = {}): (string | null)[] =>
  traceLines(facts({}, { tasks: [{ ...queued, ...task }], ...more })).map(({ waits }) => waits);

describe('the lines of a story', () => {
  it('say where an event waits', () => {
    expect(eventWaits({})).toEqual(['waits for the relay']);
    expect(eventWaits({}, [worker('stable')])).toEqual(['no live relay: npm run ops -- doctor']);
    expect(eventWaits({ status: 'processing' })).toEqual(['in the hands of a relay']);
    const failed = { status: 'failed', availableAt: at(30_000), error: 'no such queue' } as const;
    expect(eventWaits(failed)).toEqual(['waits for a retry until 2026-11-28T05:00:30.000Z: no such queue']);
    expect(eventWaits({ ...failed, redrivenAt: at(20_000) })).toEqual([
      null,
      'waits for a retry until 2026-11-28T05:00:30.000Z: no such queue',
    ]);
    expect(eventWaits({ status: 'completed', processedAt: at(5) }, [])).toEqual([null, null]);
  });

  it('say where a task waits, the first reason first', () => {
    const retry = { state: 'retry', attempt: 2, notBefore: at(60_000), error: 'EACCES' } as const;
    expect(taskWaits(retry)).toEqual(['waits for a retry until 2026-11-28T05:01:00.000Z: EACCES']);
    expect(taskWaits({ ...retry, error: null })).toEqual(['waits for a retry until 2026-11-28T05:01:00.000Z']);
    expect(taskWaits({ notBefore: at(60_000) })).toEqual(['put off until 2026-11-28T05:01:00.000Z']);
    expect(taskWaits({})).toEqual(['waits for a free worker of lane stable']);
    expect(taskWaits({ lane: 'canary' })).toEqual(['no live worker for lane canary: npm run ops -- doctor']);
    expect(taskWaits(retry, { live: [], pausedTypes: ['classification'] })).toEqual([
      'tasks of type classification are paused: npm run ops -- queues stats',
    ]);
    expect(taskWaits({ state: 'active', startedAt: at(20), claimedBy: 'worker-classification-7' })).toEqual([
      'in hand of worker-classification-7',
    ]);
    for (const state of ['completed', 'cancelled', 'failed'] as const) expect(taskWaits({ state })).toEqual([null]);
  });

  it('say of work that no task is known of whether a sweep will make one', () => {
    const wanted = { taskType: 'derivative', subjectId: sticker, isDue: true, hasFailed: false, wantedAt: at(1) };
    const due = { ...wanted, discardedAt: null };
    const waits = (story: Partial<Story>, more: Partial<TraceFacts> = {}): (string | null)[] =>
      traceLines(facts(story, more)).map((line) => line.waits);
    const bySweep = 'no task of it is known: the next sweep of maintenance makes one';

    expect(waits({ work: [due] })).toEqual([bySweep]);
    expect(waits({ work: [{ ...due, isDue: false }] })).toEqual([]);
    // Its event is on its way: the task comes with it.
    expect(waits({ work: [due], events: [appended] })).toEqual(['waits for the relay']);
    expect(waits({ untakenMessages: ['m-1'] })).toEqual([bySweep]);
    expect(waits({ work: [due] }, { tasks: null })).toEqual([
      'whether a task of it waits is not known: the queues could not be asked',
    ]);
  });

  it('say that work failed for good, and when a person gave it up', () => {
    const failed = { taskType: 'derivative', subjectId: sticker, isDue: false, hasFailed: true, wantedAt: at(1) };
    const letter = { source: 'tasks', id: 7, type: 'derivative', subjectId: sticker, requestId: 'r-1' } as const;
    const dead = { ...letter, attempts: 9, failedAt: at(5), error: 'EACCES' };
    const lines = (story: Partial<Story>): (string | null)[][] =>
      traceLines(facts(story)).map(({ by, what, waits }) => [by, what, waits]);
    const line = (settled: string): string[] => [
      ...['worker-classification', `derivative of ${sticker} wanted`],
      `failed for good${settled}: tried again when it is wanted anew`,
    ];

    expect(lines({ work: [{ ...failed, discardedAt: null }] })).toEqual([line('')]);
    const discarded = { ...failed, discardedAt: at(9_000) };
    expect(lines({ work: [discarded] })).toEqual([line(' and was discarded at 2026-11-28T05:00:09.000Z')]);
    // What else is on its way has nothing to do with it.
    expect(lines({ work: [discarded], events: [appended] })).toHaveLength(2);
    expect(
      lines({ work: [{ ...failed, discardedAt: null }], deadLetters: [dead] }).map(([, , waits]) => waits),
    ).toEqual(['dead letter tasks:7: npm run ops -- dlq show tasks:7']);
  });

  it('stand in the order of time, with what each took and by whom', () => {
    const relayed = { ...appended, status: 'completed', processedAt: at(17) } as const;
    const done = { ...queued, state: 'completed', startedAt: at(26), completedAt: at(64), attempt: 2 } as const;
    const lines = traceLines(facts({ events: [relayed] }, { tasks: [{ ...done, lane: 'canary' }] }));

    expect(lines.map(({ by, tookMs, what }) => [by, tookMs, what])).toEqual([
      ['api', null, `STICKER_ASSET_CREATED (event 41) of sticker_asset ${sticker} appended`],
      ['relay', 17, `STICKER_ASSET_CREATED (event 41) of sticker_asset ${sticker} relayed`],
      [
        'worker-classification (canary)',
        38,
        `task classification of ${sticker} (t-1, from event 41, attempt 2) done, after 16 ms in its queue`,
      ],
    ]);
  });

  it('give times as a person says them', () => {
    expect([0.4, 999, 1_000, 119_999, 120_000, 3_600_000].map(seconds)).toEqual([
      ...['0 ms', '999 ms', '1.0 s', '120.0 s', '2 min', '60 min'],
    ]);
  });
});
