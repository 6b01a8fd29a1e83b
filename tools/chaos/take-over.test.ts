import { describe, expect, it } from '@jest/globals';
import type { JobChange } from './final-tables.ts';
import { findTakeOvers } from './take-over.ts';
import { jobChange } from './judge/evidence.ts';

const change = (atMs: number, state: string | null, queue: string, about: Partial<JobChange> = {}): JobChange =>
  jobChange(atMs, state, { queue, port: 1, ...about });
const death = { lanes: ['stable', 'canary'], atMs: 10_000, untilMs: 32_000 };
const found = (jobs: JobChange[]) =>
  findTakeOvers(jobs, [death]).map(({ jobId, seconds, isElsewhere }) => ({ jobId, seconds, isElsewhere }));

describe('the take-over of a dead lane', () => {
  it('lasts for each waiting task until another lane claims it', () =>
    expect(
      found([
        change(8_000, 'created', 'rebuild.stable'),
        change(21_000, null, 'rebuild.stable'),
        change(21_000, 'created', 'rebuild.inline'),
        change(22_500, 'active', 'rebuild.inline'),
      ]),
    ).toEqual([{ jobId: 'job-1', seconds: 12.5, isElsewhere: true }]));

  it('counts what was in hand, and what came before others knew, from when it came or was due', () => {
    expect(
      found([
        change(9_000, 'active', 'rebuild.canary'),
        change(17_000, 'retry', 'rebuild.canary'),
        change(20_000, 'retry', 'rebuild.inline'),
        change(21_000, 'active', 'rebuild.inline'),
      ]),
    ).toEqual([{ jobId: 'job-1', seconds: 11, isElsewhere: true }]);
    expect(
      found([
        change(12_000, 'created', 'rebuild.stable', { startAfterMs: 14_000 }),
        change(20_000, 'active', 'rebuild.inline'),
      ]),
    ).toEqual([{ jobId: 'job-1', seconds: 6, isElsewhere: true }]);
  });

  it('follows the subject when a task was merged into another', () =>
    expect(
      found([
        change(8_000, 'created', 'rebuild.stable'),
        change(15_000, 'created', 'rebuild.inline', { jobId: 'job-2' }),
        change(20_000, null, 'rebuild.stable'),
        change(20_500, 'active', 'rebuild.inline', { jobId: 'job-2' }),
      ]),
    ).toEqual([{ jobId: 'job-1', seconds: 10.5, isElsewhere: true }]));

  it('says so when nobody else came, but its own workers in the end', () =>
    expect(found([change(8_000, 'created', 'rebuild.stable'), change(33_000, 'active', 'rebuild.stable')])).toEqual([
      { jobId: 'job-1', seconds: 23, isElsewhere: false },
    ]));

  it('leaves out what the dead had finished, what is of other lanes, and a claim that only hands on', () => {
    expect(
      found([
        change(9_900, 'active', 'rebuild.stable'),
        change(10_010, 'completed', 'rebuild.stable'),
        change(20_000, 'active', 'rebuild.inline', { jobId: 'job-2' }),
      ]),
    ).toEqual([]);
    expect(found([change(8_000, 'created', 'rebuild.inline'), change(11_000, 'active', 'rebuild.inline')])).toEqual([]);
    expect(
      found([
        change(8_000, 'created', 'rebuild.stable'),
        change(18_000, 'created', 'rebuild.inline'),
        change(19_000, 'active', 'rebuild.inline'),
        change(19_000, 'retry', 'rebuild.stable'),
        change(24_000, 'active', 'rebuild.inline'),
      ])[0]?.seconds,
    ).toBe(14);
  });
});
