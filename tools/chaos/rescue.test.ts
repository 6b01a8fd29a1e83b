import { describe, expect, it } from '@jest/globals';
import type { JobChange } from './final-tables.ts';
import { findRescues } from './rescue.ts';
import { jobChange } from './judge/evidence.ts';

const change = (atMs: number, state: string | null, port: number, about: Partial<JobChange> = {}): JobChange =>
  jobChange(atMs, state, { queue: 'rebuild.stable', port, ...about });
const hitAt = (atMs: number, port = 5) => ({
  slot: 'rebuild-1',
  atMs,
  startedAtMs: 0,
  hadPort: (asked: number) => asked === port,
});

describe('rescues', () => {
  it('last from the hit to the next start of a task that the worker had in hand', () => {
    const jobs = [
      change(1_000, 'created', 9),
      change(2_000, 'active', 5),
      change(9_000, 'retry', 8),
      change(10_500, 'active', 6),
    ];

    expect(findRescues(jobs, [hitAt(3_000)])).toEqual([
      {
        slot: 'rebuild-1',
        jobId: 'job-1',
        queue: 'rebuild.stable',
        atMs: 3_000,
        seconds: 7.5,
        changes: jobs.slice(2),
      },
    ]);
  });

  it('leave out tasks of other workers, finished ones and ones of an earlier life', () => {
    const jobs = [
      change(2_000, 'active', 6),
      change(2_000, 'active', 5, { jobId: 'job-2', subject: 'pack-2' }),
      change(2_500, 'completed', 5, { jobId: 'job-2', subject: 'pack-2' }),
      change(9_000, 'active', 7),
    ];

    expect(findRescues(jobs, [hitAt(3_000)])).toEqual([]);
    expect(
      findRescues([change(2_000, 'active', 5), change(9_000, 'active', 7)], [{ ...hitAt(3_000), startedAtMs: 2_500 }]),
    ).toEqual([]);
  });

  it('count another task of the same subject when the first one was wiped', () => {
    const jobs = [
      change(2_000, 'active', 5),
      change(4_000, null, 0, { operation: 'delete', actor: 'harness' }),
      change(8_000, 'active', 7, { jobId: 'job-9' }),
    ];

    expect(findRescues(jobs, [hitAt(3_000)])[0]?.seconds).toBe(5);
  });
});
