import { describe, expect, it } from '@jest/globals';
import { request } from './evidence.ts';
import { judgeAwareness, judgeReloads, requestsDuring } from './judge-reloads.ts';

const calm = () => false;
const failed = { ...request('r1', 'like', 0, {}), startedAt: 1_000, endedAt: 1_020 };
const reload = (about: object) => ({
  slot: 'api-1',
  kind: 'api',
  readyAt: 900,
  askedAt: 900,
  endedAt: 1_500,
  isKilled: false,
  ...about,
});

describe('a reload', () => {
  it('is guilty of requests that failed while an API process went', () => {
    const unavailable = { ...failed, id: 'r2', status: 503 };
    const fine = { ...failed, id: 'r3', status: 404 };

    expect(judgeReloads([failed, unavailable, fine], [reload({})], calm).map(({ kind }) => kind)).toEqual([
      'failed_reload',
      'failed_reload',
    ]);
    expect(requestsDuring([failed, unavailable, fine], [reload({})], calm)).toMatchObject({ asked: 3 });
  });

  it.each([
    ['before', [reload({ askedAt: 1_100 })], calm],
    ['after', [reload({ endedAt: 990 })], calm],
    ['while something else was wrong', [reload({})], () => true],
    ['while another kind of process went', [reload({ kind: 'relay' })], calm],
  ])('is not guilty of what failed %s', (_title, replacements, isDisturbed) =>
    expect(judgeReloads([failed], replacements, isDisturbed)).toEqual([]),
  );
});

it('calls it a stale flag when a process did not hear of a flip, unless it could not', () => {
  const heard = { flag: 'enable_domain_event_outbox' as const, slot: 'relay-1', askedAt: 1_000 };

  expect(judgeAwareness([{ ...heard, seconds: 14 }], calm)).toEqual([]);
  expect(judgeAwareness([{ ...heard, seconds: Infinity }], calm).map(({ kind }) => kind)).toEqual(['stale_flag']);
  expect(judgeAwareness([{ ...heard, seconds: Infinity }], () => true)).toEqual([]);
});
