import { describe, expect, it } from '@jest/globals';
import { createFreshRequests, freshMs } from './fresh-requests.ts';
import type { RequestGroup } from './request-mix.ts';

const group = (label: string, path: string): RequestGroup => ({
  label,
  weight: 1,
  requests: [{ method: 'GET', path }],
  isSkewed: false,
});

describe('requests', () => {
  it('are looked up again when they are five minutes old, and are the same groups in the same order', async () => {
    let nowMs = 0;
    let lookedUp = 0;
    const discover = (): Promise<RequestGroup[]> => {
      lookedUp += 1;
      return Promise.resolve([group('new', '/new'), group('lists', `/cursor-${lookedUp}`)]);
    };
    const first = [group('packs', '/pack'), group('lists', '/cursor-0')];
    const requests = createFreshRequests(first, discover, () => nowMs);
    nowMs = freshMs - 1;
    expect(await requests.current()).toEqual(first);
    nowMs = freshMs;
    expect(await requests.current()).toEqual([group('packs', '/pack'), group('lists', '/cursor-1')]);
    nowMs = 2 * freshMs - 1;
    await requests.current();
    expect(lookedUp).toBe(1);
    expect(await requests.renew()).toEqual([group('packs', '/pack'), group('lists', '/cursor-2')]);
  });

  it('stay what they were when the target does not answer, or when there is nothing to look up', async () => {
    let nowMs = 0;
    const first = [group('packs', '/pack')];
    const silent = createFreshRequests(
      first,
      () => Promise.reject(new Error('no')),
      () => nowMs,
    );
    const given = createFreshRequests(first, null, () => nowMs);
    nowMs = 10 * freshMs;
    expect([await silent.current(), await given.current()]).toEqual([first, first]);
  });
});
