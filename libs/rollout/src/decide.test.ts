import { describe, expect, it } from '@jest/globals';
import { decide, type DecideInput } from './decide.ts';
import type { Observed } from './judge-gate.ts';
import type { Gate, Plan } from './plan.ts';
import { actorOf, type RunState } from './run-state.ts';

const outbox = 'enable_domain_event_outbox';
const storage = 'enable_object_storage_delivery';
const gate: Gate = {
  ...{ name: 'errors', why: 'few errors', metric: 'omnizap_http_requests_total', where: {}, measure: 'ratio' },
  ...{ of: {}, windowMs: 300_000, pass: { value: 0.02 }, fail: { value: 0.1 }, minSamples: 10, noData: 'inconclusive' },
  ...{ noBaseline: 'pass', failuresToRollBack: 2, isDryRun: false },
};
const stages = [
  { percent: 10, bakeMs: 60_000 },
  { percent: 100, bakeMs: 60_000 },
];
const planWith = (change: Partial<Gate> = {}): Plan => ({
  ...{ name: 'both', description: 'both', passes: 2, giveUpAfterMs: 600_000 },
  parts: [outbox, storage].map((flag) => ({ name: flag, flag, requires: [], gates: [{ ...gate, ...change }], stages })),
});
const off = { isEnabled: false, rolloutPercent: 0, version: 1 };
const fresh: RunState = {
  ...{
    runId: 7,
    state: 'watching',
    mode: 'auto',
    step: -1,
    target: null,
    intendedAt: null,
    raised: [],
    raisedAt: null,
  },
  ...{ flags: { [outbox]: off, [storage]: off }, passes: 0, failures: {}, hold: null, rollback: null, reason: '' },
};
const at10 = { isEnabled: true, rolloutPercent: 10, version: 2 };
const watching: RunState = {
  ...fresh,
  step: 0,
  raisedAt: 0,
  raised: [outbox],
  flags: { [outbox]: at10, [storage]: off },
};
const share = (part: number): Record<string, Observed> => ({
  errors: { current: { kind: 'counts', part, whole: 100 }, coveredMs: 300_000 },
});
const none: Record<string, Observed> = { errors: { current: { kind: 'none', why: 'quiet' }, coveredMs: 300_000 } };

function decideOn(run: RunState, change: Partial<DecideInput> = {}, plan = planWith()) {
  const flags = Object.fromEntries(
    Object.entries(run.flags).map(([name, value]) => [name, { ...value, updatedBy: actorOf(7) }]),
  );
  return decide(plan, {
    ...{ now: 61_000, run, flags, observed: share(0), missing: [], freeze: null, request: null },
    ...{ health: { isEventFlowStable: true, isSnapshotFresh: true } },
    ...change,
  });
}
const asked = (kind: 'promote' | 'hold' | 'resume' | 'stop', isForced = false) => ({
  request: { id: 1, kind, isForced, actor: 'ana', reason: 'because' },
});

describe('a rollout', () => {
  it('writes its intent down before it raises the first flag, and then raises it by the version it saw', () => {
    const intent = decideOn(fresh);
    expect(intent).toMatchObject({ action: 'intend-raise', changes: [], next: { state: 'raising', target: 0 } });

    expect(decideOn(intent.next)).toMatchObject({
      action: 'raise',
      changes: [{ flagName: outbox, isEnabled: true, rolloutPercent: 10, expectedVersion: 1 }],
      next: { state: 'watching', step: 0, raised: [outbox] },
    });
  });

  it('goes on only after the bake and as many passes as the plan says', () => {
    expect(decideOn(watching, { now: 30_000 })).toMatchObject({ action: 'watch', next: { passes: 1 } });
    expect(decideOn(watching)).toMatchObject({ action: 'watch' });
    expect(decideOn({ ...watching, passes: 1 })).toMatchObject({ action: 'intend-raise', next: { target: 1 } });
  });

  it('passes over a step whose percentage the flag has already', () => {
    const run = { ...fresh, flags: { [outbox]: { ...at10, rolloutPercent: 50 }, [storage]: off } };
    expect(decideOn(run)).toMatchObject({ action: 'intend-raise', next: { target: 1 } });
  });

  it('succeeds at its last percentage', () => {
    const all = { isEnabled: true, rolloutPercent: 100, version: 5 };
    const run = { ...watching, step: 3, passes: 1, flags: { [outbox]: all, [storage]: all } };
    expect(decideOn(run)).toMatchObject({ action: 'finish', next: { state: 'succeeded' } });
  });

  it('rolls back at the second failed sample in a row, and at the first where the gate says so', () => {
    const once = decideOn(watching, { observed: share(50), now: 5_000 });
    expect(once).toMatchObject({ action: 'watch', next: { failures: { errors: 1 } } });
    expect(decideOn(once.next, { observed: share(0), now: 10_000 }).next.failures).toEqual({});
    const twice = decideOn(once.next, { observed: share(50), now: 10_000 });
    expect(twice).toMatchObject({ action: 'intend-rollback', next: { rollback: { flags: [outbox] } } });

    const strict = planWith({ failuresToRollBack: 1 });
    expect(decideOn(watching, { observed: share(50), now: 5_000 }, strict).action).toBe('intend-rollback');
  });

  it('rolls back in the order of the runbook, and keeps the outbox while its events flow', () => {
    const run = { ...watching, step: 2, raised: [outbox, storage], failures: { errors: 1 } };
    const rollbackOf = (isEventFlowStable: boolean | null) =>
      decideOn(run, { observed: share(50), health: { isEventFlowStable, isSnapshotFresh: true } }).next.rollback?.flags;

    expect(rollbackOf(true)).toEqual([storage]);
    expect(rollbackOf(false)).toEqual([storage, outbox]);
    expect(rollbackOf(null)).toEqual([storage, outbox]);
  });

  it('rolls back a breached gate also while it is held or frozen', () => {
    const hold = { by: 'operator' as const, since: 0, reason: 'lunch' };
    const held = { ...watching, state: 'held' as const, hold, failures: { errors: 1 } };
    const freeze = { by: 'ana', reason: 'sale' };
    expect(decideOn(held, { observed: share(50), freeze }).action).toBe('intend-rollback');
  });

  it('holds on an inconclusive gate at the end of the bake, and on a broken measurement at once', () => {
    expect(decideOn(watching, { observed: none, now: 30_000 }).action).toBe('watch');
    expect(decideOn(watching, { observed: none })).toMatchObject({ action: 'hold', next: { hold: { by: 'gates' } } });
    const broken = { errors: { current: { kind: 'error' as const, why: 'nobody answered' }, coveredMs: 0 } };
    expect(decideOn(watching, { observed: broken, now: 5_000 })).toMatchObject({ action: 'hold', next: { passes: 0 } });
  });

  it('gives up a hold that nobody can judge', () => {
    const held = decideOn(watching, { observed: none }).next;
    expect(decideOn(held, { observed: none, now: 700_000 }).action).toBe('intend-rollback');
  });

  it('reports a dry-run gate and does not let it vote', () => {
    const dry = decideOn({ ...watching, passes: 1 }, { observed: share(90) }, planWith({ isDryRun: true }));
    expect(dry).toMatchObject({ action: 'intend-raise', gates: [{ outcome: 'fail', isDryRun: true }] });
  });

  it('raises nothing while it is frozen or a process is missing, and goes on afterwards', () => {
    const run = { ...watching, passes: 1 };
    expect(decideOn(run, { freeze: { by: 'ana', reason: 'sale' } })).toMatchObject({
      next: { hold: { by: 'freeze' } },
    });
    const waiting = decideOn(run, { missing: ['no live worker-curation'] });
    expect(waiting).toMatchObject({ action: 'hold', next: { hold: { by: 'requirements' } } });
    expect(decideOn(waiting.next).action).toBe('intend-raise');
  });

  it.each(['watching', 'held', 'raising', 'rolling-back'] as const)(
    'that is %s ends without touching a flag when somebody else changed one',
    (state) => {
      const run: RunState = { ...watching, state, target: 1, rollback: { flags: [outbox], reason: 'bad' } };
      const flags = {
        [outbox]: { isEnabled: true, rolloutPercent: 35, version: 2, updatedBy: 'bob' },
        [storage]: { ...off, updatedBy: 'system' },
      };
      expect(decideOn(run, { flags })).toMatchObject({ action: 'abort', changes: [], next: { state: 'aborted' } });
    },
  );

  it('ends when the row of a flag is gone', () => {
    expect(decideOn(watching, { flags: {} })).toMatchObject({ action: 'abort', changes: [] });
  });

  it('that crashed after raising a flag records its own change, and takes the same value by another for a foreign one', () => {
    const raising: RunState = { ...fresh, state: 'raising', target: 0, intendedAt: 60_000 };
    const flags = (updatedBy: string) => ({ [outbox]: { ...at10, updatedBy }, [storage]: { ...off, updatedBy } });
    expect(decideOn(raising, { flags: flags(actorOf(7)) })).toMatchObject({
      ...{ action: 'note-raise', changes: [], next: { step: 0, flags: { [outbox]: at10 } } },
    });
    expect(decideOn(raising, { flags: flags('bob') }).action).toBe('abort');
  });

  it('does not carry out an intent that was made long ago', () => {
    const raising: RunState = { ...fresh, state: 'raising', target: 0, intendedAt: 0 };
    expect(decideOn(raising)).toMatchObject({ action: 'watch', changes: [], next: { target: null } });
  });

  it('that crashed while it rolled back switches off what is still on', () => {
    const run: RunState = { ...watching, state: 'rolling-back', rollback: { flags: [storage, outbox], reason: 'bad' } };
    expect(decideOn(run)).toMatchObject({
      changes: [{ flagName: outbox, isEnabled: false }],
      next: { state: 'rolled-back' },
    });
  });

  it('refuses a promote at a closed gate, with the reason, and takes a forced one', () => {
    const refused = decideOn(watching, { now: 5_000, ...asked('promote') });
    expect(refused.answer).toMatchObject({ isAccepted: false, text: expect.stringContaining('5 of 60 s') });
    const forced = decideOn(watching, { now: 5_000, observed: none, ...asked('promote', true) });
    expect(forced).toMatchObject({
      action: 'intend-raise',
      answer: { isAccepted: true },
      reason: expect.stringContaining('ana: because'),
    });
  });

  it('does not let force raise what is frozen or carry a failed gate', () => {
    expect(decideOn(watching, { freeze: { by: 'bob', reason: 'sale' }, ...asked('promote', true) }).action).toBe(
      'hold',
    );
    const failing = { ...watching, failures: { errors: 1 } };
    expect(decideOn(failing, { observed: share(50), ...asked('promote', true) })).toMatchObject({
      ...{ action: 'intend-rollback', answer: { isAccepted: false } },
    });
  });

  it('is held, resumed and stopped by operators', () => {
    const held = decideOn({ ...watching, passes: 1 }, asked('hold'));
    expect(held).toMatchObject({ action: 'hold', next: { hold: { by: 'operator' } } });
    expect(decideOn(held.next).action).toBe('hold');
    expect(decideOn(held.next, asked('resume'))).toMatchObject({
      action: 'intend-raise',
      answer: { isAccepted: true },
    });
    expect(decideOn(held.next, asked('stop'))).toMatchObject({
      action: 'abort',
      changes: [],
      next: { state: 'aborted' },
    });
  });

  it('in steps waits for a promote at the end of each bake', () => {
    const run: RunState = { ...watching, mode: 'step', passes: 1 };
    expect(decideOn(run)).toMatchObject({ action: 'hold', next: { hold: { by: 'step' } } });
    expect(decideOn(run, asked('promote')).action).toBe('intend-raise');
  });

  it('decides the same again from what is kept as JSON', () => {
    const input = { ...watching, failures: { errors: 1 } };
    const once = decideOn(input, { observed: share(50) });
    expect(decideOn(JSON.parse(JSON.stringify(input)) as RunState, { observed: share(50) })).toEqual(once);
  });
});
