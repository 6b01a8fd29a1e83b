import { describe, expect, it } from '@jest/globals';
import { loadPlans, parsePlans } from './plan-file.ts';
import { stepsOf } from './plan.ts';

const gates = `gates:
  quiet:
    why: nothing piles up
    metric: omnizap_queue_depth
    where: { queue: domain_event_outbox_dlq }
    measure: increase
    window: 10m
    pass: { at_most: 0 }
    fail: { above: 0 }
    min_samples: 2
    no_data: fail
    rollback_at: second-failure
`;
const plan = `plan: small
description: one step
flag: enable_domain_event_outbox
gates: [quiet]
stages:
  - { percent: 10, bake: 10m }
`;
const parse = (changed: { gates?: string; plan?: string }) =>
  parsePlans({ 'gates.yaml': changed.gates ?? gates, 'small.yaml': changed.plan ?? plan });

describe('rollout plans', () => {
  it('of this release are valid and walk the percentages of the runbook', () => {
    const plan = loadPlans().get('sticker-scale-hardening');

    expect(plan).toBeDefined();
    const steps = plan === undefined ? [] : stepsOf(plan);
    expect(steps.map(({ part, percent }) => `${part.flag} ${percent}`)).toEqual([
      ...[10, 50, 100].map((percent) => `enable_ranking_snapshot_read ${percent}`),
      ...[10, 50, 100].map((percent) => `enable_domain_event_outbox ${percent}`),
      ...[10, 50, 100].map((percent) => `enable_worker_dedicated_processes ${percent}`),
      ...[5, 25, 100].map((percent) => `enable_object_storage_delivery ${percent}`),
    ]);
  });

  it('become data with defaults where nothing is said', () => {
    expect(parse({}).get('small')).toMatchObject({
      passes: 5,
      parts: [{ stages: [{ percent: 10, bakeMs: 600_000 }], gates: [{ failuresToRollBack: 2, isDryRun: false }] }],
    });
  });

  it.each([
    [
      'a metric that nobody exports',
      { gates: gates.replace('omnizap_queue_depth', 'omnizap_queue_dept') },
      /gates\.yaml:4: gates\.quiet\.metric: must be one of .*omnizap_queue_depth/,
    ],
    [
      'a label that the metric lacks',
      { gates: gates.replace('queue:', 'que:') },
      /gates\.yaml:5: gates\.quiet\.where\.que: .*it has: queue/,
    ],
    [
      'a measure that the metric cannot have',
      { gates: gates.replace('increase', 'p95') },
      /quiet\.measure: omnizap_queue_depth is a gauge, which has: .*slope/,
    ],
    [
      'a gate that does not say what no data means',
      { gates: gates.replace('    no_data: fail\n', '') },
      /quiet\.no_data: is missing .*pass, fail, inconclusive, error/,
    ],
    [
      'a misspelt key',
      { plan: plan.replace('stages', 'stage') },
      /small\.yaml:\d+: stage: not known here; known: .*stages/,
    ],
    [
      'a gate that is not there',
      { plan: plan.replace('[quiet]', '[quite]') },
      /small\.yaml:4: gates\[0\]: there is no gate "quite"; there are: quiet/,
    ],
    [
      'an unknown flag',
      { plan: plan.replace('domain_event', 'event') },
      /small\.yaml:3: flag: must be one of .*enable_domain_event_outbox/,
    ],
    [
      'a percentage above 100',
      { plan: plan.replace('percent: 10', 'percent: 101') },
      /small\.yaml:6: stages\[0\]\.percent/,
    ],
    ['a percentage that is not whole', { plan: plan.replace('percent: 10', 'percent: 12.5') }, /stages\[0\]\.percent/],
    [
      'a bake without a unit',
      { plan: plan.replace('bake: 10m', 'bake: 10') },
      /stages\[0\]\.bake: must be a duration such as 30s/,
    ],
    ['no gates at all', { plan: plan.replace('[quiet]', '[]') }, /gates: must name at least one gate/],
    [
      'a value that is good anyway where nothing is compared',
      { gates: gates.replace('    pass:', '    good_up_to: 3\n    pass:') },
      /quiet\.good_up_to: needs a comparison/,
    ],
    ['text that is no YAML', { plan: 'plan: [small' }, /small\.yaml:1: /],
  ])('with %s are refused, naming file, line and path', (_what, changed, message) => {
    expect(() => parse(changed)).toThrow(message);
  });

  it('have all their problems listed together', () => {
    const broken = { gates: gates.replace('increase', 'p95'), plan: plan.replace('[quiet]', '[quite]') };

    expect(() => parse(broken)).toThrow(/measure.*\n.*there is no gate/);
  });
});
