/**
 * What must hold of tasks: each attempt has one claimer whose word counts once, hints survive started tasks, a process that lives
 * is not robbed, whoever kills processes pays alone, and derived rows only go forward.
 */
import type { Happening } from './history.ts';
import type { Report } from './invariants.ts';

export type Limits = { retries: number; crashes: number };

type Attempt = { by: string; retryCount: number; isStarted: boolean; isEnded: boolean; isSettled: boolean };
type Task = {
  attempts: Map<number, Attempt>;
  /** What may be counted against it: failures that its workers reported, expiries, and deaths of a process that ran only it. */
  failures: number;
  deaths: number;
};

export function createTaskJudge(report: Report, limits: Limits) {
  const tasks = new Map<string, Task>();
  /** Leases as the judge has seen them, and since when without a gap. */
  const leases = new Map<string, { untilMs: number; sinceMs: number }>();
  const fetchedAtMs = new Map<string, number>();
  /** Processes that crashed or were told to stop. */
  const gone = new Set<string>();
  const written = new Map<string, { version: number; sources: Map<string, number> }>();
  const kept = new Map<string, { deaths: number; redrives: number }>();

  function checkFetch(happening: Extract<Happening, { kind: 'fetched' }>, atMs: number): void {
    const { taskId, retryCount, by, attempt } = happening;
    const task: Task = tasks.get(taskId) ?? { attempts: new Map(), failures: 0, deaths: 0 };
    tasks.set(taskId, task);
    for (const [count, other] of task.attempts)
      if (!other.isSettled)
        report('one-claimer', `${taskId} was given to ${by} while ${other.by} had attempt ${count}`);
    if (task.attempts.has(retryCount)) report('one-claimer', `attempt ${retryCount} of ${taskId} was given twice`);
    task.attempts.set(retryCount, { by, retryCount, isStarted: false, isEnded: false, isSettled: false });
    fetchedAtMs.set(`${taskId}:${retryCount}`, atMs);
    const faults = task.failures + task.deaths;
    if (attempt > 1 + faults)
      report('punished-neighbour', `${taskId} is at attempt ${attempt} after ${faults} faults of its own`);
    checkLimit(taskId, attempt);
  }

  /** A death at the last attempt is not the end: as many as its limit allows are. */
  function checkLimit(taskId: string, attempt: number): void {
    const most = limits.retries + limits.crashes;
    if (attempt > most) report('attempts', `${taskId} is at attempt ${attempt}; ${most} are allowed`);
  }

  function checkDead({ taskId, attempts }: Extract<Happening, { kind: 'task-dead' }>): void {
    const before = kept.get(taskId) ?? { deaths: 0, redrives: 0 };
    kept.set(taskId, { ...before, deaths: before.deaths + 1 });
    checkLimit(taskId, attempts);
    const task = tasks.get(taskId);
    if (task && task.deaths < limits.crashes && task.failures + task.deaths < limits.retries)
      report('buried-early', `${taskId} is a dead letter after ${task.failures} failures and ${task.deaths} deaths`);
  }

  function checkSettled(happening: Extract<Happening, { kind: 'settled' }>, atMs: number): void {
    const { taskId, retryCount, by, how, hasEffect } = happening;
    const task = tasks.get(taskId);
    if (!task || !hasEffect) return;
    // The one that had effect is the one in hand; who it was meant for is another matter.
    const current = currentOf(task);
    if (!current) return;
    if (current.isSettled) report('one-claimer', `${taskId} was settled twice (${how} by ${by})`);
    const isByOthers = how === 'rescue' || how === 'expire' || (how === 'bury' && current.by !== by);
    if (!isByOthers && (current.by !== by || current.retryCount !== retryCount))
      report(
        'one-claimer',
        `${by} settled (${how}) attempt ${retryCount} of ${taskId}; ${current.by} has ${current.retryCount}`,
      );
    if (how === 'rescue') {
      checkRescue(taskId, current, atMs);
      // It sleeps: as good as dead, for as long as anybody can tell.
      if (!gone.has(current.by) && runningOf(current.by).every((other) => other.task === task)) task.deaths += 1;
    }
    if (how === 'retry' || how === 'expire') task.failures += 1;
    current.isSettled = true;
  }

  function checkRescue(taskId: string, { by, retryCount }: Attempt, atMs: number): void {
    const lease = leases.get(by);
    if (gone.has(by)) return;
    if (lease && lease.untilMs > atMs && lease.sinceMs <= (fetchedAtMs.get(`${taskId}:${retryCount}`) ?? 0))
      report('robbed', `${taskId} was taken from ${by}, whose lease never ran out`);
  }

  const currentOf = (task: Task | undefined): Attempt | undefined => [...(task?.attempts.values() ?? [])].at(-1);

  /** A death may count only against what was in hand while no other handler ran there. */
  function countDeath(by: string): void {
    const running = runningOf(by).filter(({ attempt }) => !attempt.isSettled);
    for (const { task, attempt } of startedOn(by))
      if (!attempt.isSettled && running.every((other) => other.task === task)) task.deaths += 1;
  }

  function startedOn(by: string): { task: Task; attempt: Attempt }[] {
    return [...tasks.values()].flatMap((task) => {
      const attempt = currentOf(task);
      return attempt?.by === by && attempt.isStarted ? [{ task, attempt }] : [];
    });
  }

  function runningOf(by: string): { task: Task; attempt: Attempt }[] {
    return startedOn(by).filter(({ attempt }) => !attempt.isEnded);
  }

  function checkWrite({ subject, version, sources }: Extract<Happening, { kind: 'wrote' }>): void {
    const before = written.get(subject);
    const now = new Map(sources.split(' ').map((part) => [part.split('@')[0] ?? '', Number(part.split('@')[1])]));
    if (before && version <= before.version)
      report('stale-write', `${subject} was written at version ${version} after ${before.version}`);
    for (const [id, source] of now)
      if (source < (before?.sources.get(id) ?? 0))
        report('stale-content', `${subject} shows ${id}@${source} again after @${before?.sources.get(id)}`);
    written.set(subject, { version, sources: now });
  }

  return {
    written,

    see(happening: Happening, atMs: number): void {
      switch (happening.kind) {
        case 'lease': {
          const before = leases.get(happening.by);
          const sinceMs = before && before.untilMs > atMs ? before.sinceMs : atMs;
          leases.set(happening.by, { untilMs: happening.untilMs, sinceMs });
          return;
        }
        case 'hinted':
          if (!happening.isWaiting)
            report('swallowed-hint', `a hint for ${happening.subject} left no waiting task in ${happening.queue}`);
          return;
        case 'fetched':
          return checkFetch(happening, atMs);
        case 'started':
        case 'ended': {
          const current = currentOf(tasks.get(happening.taskId));
          if (current?.by === happening.by) current[happening.kind === 'started' ? 'isStarted' : 'isEnded'] = true;
          return;
        }
        case 'settled':
          return checkSettled(happening, atMs);
        case 'process':
          if (happening.what === 'crashes') countDeath(happening.by);
          if (['crashes', 'stops', 'has stopped'].includes(happening.what)) gone.add(happening.by);
          return;
        case 'rows-lost':
          tasks.clear();
          return;
        case 'wrote':
          return checkWrite(happening);
        case 'task-dead':
          return checkDead(happening);
        case 'task-redriven': {
          const letter = kept.get(happening.taskId);
          if (letter) letter.redrives += 1;
          if (!letter || letter.redrives > letter.deaths)
            report('redriven-twice', `the dead letter of ${happening.taskId} was redriven twice`);
          return;
        }
        default:
      }
    },
  };
}
