/**
 * Judges a run by its history, and at the end by its tables. It shares no code with what it judges: it keeps its own account of
 * leases, claims and versions.
 */
import type { History } from './history.ts';
import type { Invariant, Report, Violation } from './invariants.ts';
import { createEventJudge } from './judge-events.ts';
import { createTaskJudge, type Limits } from './judge-tasks.ts';
import { subjectKey, subjectsOf } from './memory-catalogue.ts';
import type { World } from './world.ts';

type JudgeDeps = { history: History; now: () => number };

/** `blindTo`: invariants that are not looked at, to see whether others would have noticed. */
export function createJudge({ history, now }: JudgeDeps, options: { limits: Limits; blindTo: Invariant[] }) {
  let first: Violation | null = null;
  const report: Report = (invariant, message) => {
    if (!options.blindTo.includes(invariant)) first ??= { invariant, message, atMs: now() };
  };
  const events = createEventJudge(report);
  const tasks = createTaskJudge(report, options.limits);
  history.onRecord((happening, atMs) => {
    events.see(happening, atMs);
    tasks.see(happening, atMs);
  });

  /** Whether a subject failed for good, and whoever decides about it can find out. */
  function isKeptAsDead(world: World, key: string): boolean {
    const state = world.catalogue.workState.get(key);
    // Without sweeps nobody else would tell of it.
    if (!world.plan.areSweepsOn)
      for (const { event } of world.outbox.dead.values())
        if (subjectsOf(event).some((subject) => subjectKey(subject) === key)) return true;
    if (!state || state.failed < state.wanted) return false;
    return [...world.catalogue.deadTasks.values()].some(
      (row) => `${row.subject.taskType}:${row.subject.subjectId}` === key,
    );
  }

  return {
    report,
    violation: (): Violation | null => first,

    /** To be called when the world has come to rest. */
    judgeEnd(world: World): void {
      const { plan, catalogue } = world;
      for (const event of events.events.values())
        if (!event.isHandedOver && !event.isDead) report('event-lost', `event ${event.eventId} was never handed over`);
      for (const [key, { wanted, done }] of catalogue.workState)
        if (done < wanted && !isKeptAsDead(world, key))
          report('not-converged', `${key} wants version ${wanted}, has ${done}, and is no dead letter`);
      const shows = (key: string, id: string): number => catalogue.derived.get(key)?.sources[id] ?? 0;
      const expect = (key: string, id: string, version: number): void => {
        if (shows(key, id) !== version && !isKeptAsDead(world, key) && catalogue.workState.has(key))
          report('not-converged', `${key} shows ${id}@${shows(key, id)} instead of @${version}`);
      };
      for (const asset of plan.assets) {
        expect(`classification:${asset}`, asset, catalogue.sources.get(asset) ?? 0);
        expect(`rebuild:${plan.packOf(asset)}`, asset, shows(`classification:${asset}`, asset));
      }
      for (const pack of plan.packs) expect(`rebuild:${pack}`, pack, catalogue.sources.get(pack) ?? 0);
    },
  };
}
