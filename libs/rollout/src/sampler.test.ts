import { describe, expect, it } from '@jest/globals';
import { judgeGate } from './judge-gate.ts';
import { observeBefore, observeGate } from './observe-gate.ts';
import type { Gate } from './plan.ts';
import { createSampler } from './sampler.ts';
import type { SourceSample } from './tally.ts';

const errors: Gate = {
  ...{ name: 'errors', why: 'few errors', metric: 'omnizap_http_requests_total', where: {}, measure: 'ratio' },
  ...{ of: { status_class: ['5xx'] }, windowMs: 60_000, pass: { value: 0.02 }, fail: { value: 0.02 }, minSamples: 10 },
  ...{ noData: 'inconclusive', noBaseline: 'pass', failuresToRollBack: 1, isDryRun: false },
};
const ownership: Gate = {
  ...{ name: 'ownership', why: 'all owned', metric: 'omnizap_rollout_unowned_tasks', where: {}, measure: 'min' },
  ...{ windowMs: 40_000, pass: { value: 0 }, fail: { value: 0 }, minSamples: 2, noData: 'fail', noBaseline: 'pass' },
  ...{ failuresToRollBack: 1, isDryRun: false },
};

/** 100 requests per sample, and as many failed ones as `failed` says. */
function setUp(failed: (at: number) => number, lane = 'dedicated') {
  let [good, bad] = [0, 0];
  let now = 0;
  const sampler = createSampler([errors, ownership], () => {
    bad += failed(now);
    good += 100 - failed(now);
    const series: SourceSample['series'] = [
      { name: 'omnizap_http_requests_total', labels: { status_class: '2xx', route_group: 'catalog_web' }, value: good },
      { name: 'omnizap_http_requests_total', labels: { status_class: '5xx', route_group: 'catalog_web' }, value: bad },
      { name: 'omnizap_task_depth', labels: { task_type: 'rebuild', lane: 'dedicated' }, value: 4 },
    ];
    const sample: SourceSample = { source: 'one', startedAt: 0, series };
    return Promise.resolve({ samples: [sample], silent: [] });
  });
  const processes = [{ processId: '1', processName: 'worker-rebuild', status: { lane, task_types: ['rebuild'] } }];
  return {
    sampler,
    sampleUntil: async (end: number) => {
      const finished = [];
      for (; now <= end; now += 5_000) finished.push(...(await sampler.sample(now, processes)).finished);
      return finished;
    },
    judge: (gate: Gate, raisedAt: number) => {
      const at = now - 5_000;
      const observed = observeGate(gate, sampler.ticks(), { now: at, raisedAt, before: undefined });
      return judgeGate(gate, observed, at);
    },
  };
}

describe('the sampler', () => {
  it('lets a gate see only what came after the raise', async () => {
    const { sampler, sampleUntil, judge } = setUp((at) => (at <= 30_000 ? 90 : 1));
    await sampleUntil(60_000);

    expect(judge(errors, 31_000)).toMatchObject({ outcome: 'pass', value: 0.01 });
    expect(judge(errors, 0)).toMatchObject({ outcome: 'fail' });
    expect(observeBefore(errors, sampler.ticks(), 30_000)).toMatchObject({ kind: 'counts', part: 540, whole: 600 });
  });

  it('counts tasks of lanes that no live process works as without an owner', async () => {
    const served = setUp(() => 0);
    await served.sampleUntil(60_000);
    expect(served.judge(ownership, 0)).toMatchObject({ outcome: 'pass', value: 0 });

    const dead = setUp(() => 0, 'canary');
    await dead.sampleUntil(60_000);
    expect(dead.judge(ownership, 0)).toMatchObject({ outcome: 'fail', value: 4 });
  });

  it('hands on each minute once it is over, counters as their increase', async () => {
    const { sampleUntil } = setUp(() => 1);
    const rows = await sampleUntil(120_000);
    const failed = rows.filter(({ labels }) => labels.includes('5xx'));

    expect(failed.map(({ minuteAt, value }) => [minuteAt.getTime(), value])).toEqual([
      [0, 11],
      [60_000, 12],
    ]);
  });
});
