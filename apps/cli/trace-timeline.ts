/** A story from the tables as lines in the order of time: what happened, by whom, how long it took, and where it waits now. */
import type { Story, StoryEvent } from '@omnizap/catalog';
import type { LiveProcess } from '@omnizap/runtime';
import type { KnownTask } from '@omnizap/tasks';
import { isServed } from './doctor/flags.ts';

export type TraceFacts = {
  story: Story;
  /** Null: the queues could not be asked. */
  tasks: KnownTask[] | null;
  live: LiveProcess[];
  pausedTypes: string[];
  /** By kind of worker. */
  taskTypesOf: Record<string, readonly string[]>;
};

export type TraceLine = {
  at: Date;
  /** Null: it took no time that was written down. */
  tookMs: number | null;
  what: string;
  /** Kind of process, or who decided. */
  by: string;
  /** Null: it is over. */
  waits: string | null;
};

/** What curation does to packs of its own; everything else about a pack comes with a request. */
const actionsOfCuration = new Set(['curated', 'retired']);

export function traceLines(facts: TraceFacts): TraceLine[] {
  const { story } = facts;
  const tasks = facts.tasks ?? [];
  const lines: TraceLine[] = [
    ...story.made.map(({ what, by, at }) => ({ at, tookMs: null, what, by, waits: null })),
    ...story.decisions.map(({ action, actor, target, reason, at }) => ({
      ...{ at, tookMs: null, by: actor, waits: null },
      what: `${action} ${target}${reason === null ? '' : `: ${reason}`}`,
    })),
    ...story.events.flatMap((event) => eventLines(event, facts)),
    ...tasks.map((task) => taskLine(task, facts)),
    ...story.deadLetters.map(({ source, id, type, subjectId, attempts, failedAt, error }) => ({
      ...{ at: failedAt, tookMs: null, by: source === 'outbox' ? 'relay' : workerOf(type, 'stable', facts) },
      what: `${type} of ${subjectId} failed for good after ${attempts} attempts: ${error}`,
      waits: `dead letter ${source}:${id}: npm run ops -- dlq show ${source}:${id}`,
    })),
    ...story.untakenMessages
      .filter((id) => !isAnnounced('webhook', id, facts, { byEvents: false }))
      .map((id) => wantedLine('webhook', id, facts)),
    ...story.work
      .filter(
        ({ taskType, subjectId, isDue, hasFailed }) =>
          (isDue || hasFailed) &&
          taskType !== 'webhook' &&
          !isAnnounced(taskType, subjectId, facts, { byEvents: !hasFailed }),
      )
      .map(({ taskType, subjectId }) => wantedLine(taskType, subjectId, facts)),
  ];
  return lines.sort((one, other) => one.at.getTime() - other.at.getTime());
}

function eventLines(event: StoryEvent, { live }: TraceFacts): TraceLine[] {
  const named = `${event.type} (event ${event.id}) of ${event.aggregateType} ${event.aggregateId}`;
  const action = typeof event.payload.action === 'string' ? ` ${event.payload.action}` : '';
  const appended = { at: event.createdAt, tookMs: null, what: `${named} appended${action}`, by: makerOf(event) };
  const lines: TraceLine[] = [{ ...appended, waits: null }];
  if (event.redrivenAt !== null)
    lines.push({ at: event.redrivenAt, tookMs: null, what: `${named} redriven`, by: 'ops', waits: null });
  if (event.status === 'completed' && event.processedAt !== null) {
    const tookMs = event.processedAt.getTime() - (event.redrivenAt ?? event.createdAt).getTime();
    lines.push({ at: event.processedAt, tookMs, what: `${named} relayed`, by: 'relay', waits: null });
    return lines;
  }
  const hasRelay = live.some(({ processName }) => processName === 'relay');
  const waits = !hasRelay
    ? 'no live relay: npm run ops -- doctor'
    : event.status === 'failed'
      ? `waits for a retry until ${event.availableAt.toISOString()}: ${event.error ?? ''}`
      : event.status === 'processing'
        ? 'in the hands of a relay'
        : 'waits for the relay';
  const last = lines.at(-1);
  if (last) last.waits = waits;
  return lines;
}

function makerOf({ type, payload }: StoryEvent): string {
  if (type === 'STICKER_CLASSIFIED' || type === 'STICKER_READY') return 'worker-classification';
  return actionsOfCuration.has(String(payload.action)) ? 'worker-curation' : 'api';
}

function taskLine(task: KnownTask, facts: TraceFacts): TraceLine {
  const { taskType, lane, state, subjectId, attempt } = task;
  const from = task.eventId === null ? '' : `, from event ${task.eventId}`;
  const tried = attempt > 1 ? `, attempt ${attempt}` : '';
  const what = `task ${taskType} of ${subjectId} (${task.id}${from}${tried})`;
  const by = workerOf(taskType, lane, facts);
  if (!isUnfinished(state)) {
    const at = task.startedAt ?? task.createdAt;
    const tookMs = task.completedAt === null ? null : task.completedAt.getTime() - at.getTime();
    const waitedMs = Math.max(0, at.getTime() - task.createdAt.getTime());
    const ended = state === 'completed' ? 'done' : state;
    return { at, tookMs, what: `${what} ${ended}, after ${seconds(waitedMs)} in its queue`, by, waits: null };
  }
  if (state === 'active' && task.startedAt !== null)
    return {
      at: task.startedAt,
      tookMs: null,
      what: `${what} started`,
      by,
      waits: `in hand of ${task.claimedBy ?? by}`,
    };
  return {
    at: task.createdAt,
    tookMs: null,
    what: `${what} put into its queue`,
    by: 'relay',
    waits: waitOf(task, facts),
  };
}

function waitOf({ taskType, lane, notBefore, state, error }: KnownTask, { live, pausedTypes }: TraceFacts): string {
  if (pausedTypes.includes(taskType)) return `tasks of type ${taskType} are paused: npm run ops -- queues stats`;
  if (!isServed(live, taskType, lane)) return `no live worker for lane ${lane}: npm run ops -- doctor`;
  if (notBefore === null) return `waits for a free worker of lane ${lane}`;
  const until = notBefore.toISOString();
  return state === 'retry'
    ? `waits for a retry until ${until}${error === null ? '' : `: ${error}`}`
    : `put off until ${until}`;
}

const isUnfinished = (state: KnownTask['state']): boolean => ['created', 'retry', 'active'].includes(state);

/** A task, a dead letter or an event on its way says where it waits; else only the ledger of what is wanted knows of it. */
function isAnnounced(
  taskType: string,
  subjectId: string,
  { story, tasks }: TraceFacts,
  { byEvents }: { byEvents: boolean },
): boolean {
  return (
    (tasks ?? []).some(
      (task) => task.taskType === taskType && task.subjectId === subjectId && isUnfinished(task.state),
    ) ||
    story.deadLetters.some(
      (letter) => letter.source === 'tasks' && letter.type === taskType && letter.subjectId === subjectId,
    ) ||
    (byEvents &&
      (story.events.some(({ status }) => status !== 'completed') ||
        story.deadLetters.some(({ source }) => source === 'outbox')))
  );
}

function wantedLine(taskType: string, subjectId: string, facts: TraceFacts): TraceLine {
  const state = facts.story.work.find((one) => one.taskType === taskType && one.subjectId === subjectId);
  const line = { at: state?.wantedAt ?? new Date(), tookMs: null, what: `${taskType} of ${subjectId} wanted` };
  if (state?.hasFailed === true) {
    const settled = state.discardedAt === null ? '' : ` and was discarded at ${state.discardedAt.toISOString()}`;
    return {
      ...line,
      by: workerOf(taskType, 'stable', facts),
      waits: `failed for good${settled}: tried again when it is wanted anew`,
    };
  }
  return {
    ...line,
    by: 'api',
    waits:
      facts.tasks === null
        ? 'whether a task of it waits is not known: the queues could not be asked'
        : 'no task of it is known: the next sweep of maintenance makes one',
  };
}

function workerOf(taskType: string, lane: string, { taskTypesOf }: TraceFacts): string {
  if (lane === 'inline') return 'api';
  const kind = Object.keys(taskTypesOf).find((one) => taskTypesOf[one]?.includes(taskType) === true) ?? taskType;
  return `worker-${kind}${lane === 'canary' ? ' (canary)' : ''}`;
}

/** `12 ms`, `3.4 s`, `2 min`. */
export function seconds(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 120_000) return `${(milliseconds / 1_000).toFixed(1)} s`;
  return `${Math.round(milliseconds / 60_000)} min`;
}
