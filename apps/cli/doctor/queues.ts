/** What waits, what is held up and what has failed for good. */
import type { TaskPauses } from '@omnizap/rollout';
import type { LiveProcess } from '@omnizap/runtime';
import type { QueueState } from '@omnizap/tasks';
import { fail, info, ok, warn, type Finding } from './finding.ts';
import { isServed } from './flags.ts';
import type { Mending } from './mending.ts';

type Pauses = Awaited<ReturnType<TaskPauses['list']>>;

export type TaskFacts = Pick<QueueState, 'counts' | 'waiting'> & {
  pauses: Pauses;
  live: LiveProcess[];
  /** By kind of worker. */
  taskTypesOf: Record<string, readonly string[]>;
};

export type OutboxFacts = {
  pending: number;
  failed: number;
  dlq: number;
  /** Of what is not finished. */
  oldestSeconds: number;
  hasRelay: boolean;
};

/** A task starts within seconds; somebody who is behind for minutes does not catch up by itself. */
const slowTaskSeconds = 300;
const stuckTaskSeconds = 3_600;
/** A relay moves an event within a second. */
const slowEventSeconds = 60;
const stuckEventSeconds = 900;

/** `waiting`: null when nobody could be asked. */
export function judgePauses(pauses: Pauses, waiting: QueueState['waiting'] | null): Finding[] {
  return pauses.map(({ taskType, pausedBy, reason }) => {
    const held = waiting?.filter((one) => one.taskType === taskType).reduce((sum, { count }) => sum + count, 0);
    return warn(
      `Tasks of type ${taskType} are paused by ${pausedBy} (${reason})${held === undefined ? '' : `; ${held} wait`}.`,
      `npm run ops -- queues resume ${taskType} --reason "..."`,
    );
  });
}

export function judgeDeadTasks(count: number): Finding[] {
  if (count === 0) return [];
  return [
    warn(
      `${count} tasks have failed for good and wait for a person.`,
      'npm run ops -- dlq list --source tasks --groups',
    ),
  ];
}

export function judgeTasks(facts: TaskFacts, mending: Mending): Finding[] {
  const { counts, waiting, pauses, live } = facts;
  const findings: Finding[] = [];
  const isPaused = (taskType: string): boolean => pauses.some((pause) => pause.taskType === taskType);
  for (const [key, same] of Map.groupBy(counts, ({ taskType, lane }) => `${taskType} ${lane}`)) {
    const [taskType = '', lane = ''] = key.split(' ');
    if (isServed(live, taskType, lane)) continue;
    const count = same.reduce((sum, one) => sum + one.count, 0);
    findings.push(
      fail(
        `${count} tasks of type ${taskType} are in lane ${lane}, which no live process works.`,
        starterOf(taskType, lane, facts, mending),
      ),
    );
  }
  for (const { taskType, lane, count, longestSeconds } of waiting) {
    if (isPaused(taskType) || longestSeconds < slowTaskSeconds || !isServed(live, taskType, lane)) continue;
    const text = `${count} tasks of type ${taskType} wait in lane ${lane}, the longest for ${Math.round(longestSeconds / 60)} min.`;
    findings.push((longestSeconds < stuckTaskSeconds ? warn : fail)(text, 'npm run ops -- queues stats'));
  }
  if (findings.length > 0) return findings;
  const unfinished = counts.reduce((sum, { count }) => sum + count, 0);
  return [ok(`${unfinished} tasks are unfinished, and none that should run waits for long.`)];
}

export function judgeOutbox(
  { pending, failed, dlq, oldestSeconds, hasRelay }: OutboxFacts,
  mending: Mending,
): Finding[] {
  const findings: Finding[] = [];
  if (oldestSeconds >= slowEventSeconds) {
    const text = `${pending + failed} events wait in the outbox, the oldest for ${Math.round(oldestSeconds)} s.`;
    const command = hasRelay ? 'npm run ops -- outbox stats' : mending.start('relay');
    findings.push((oldestSeconds < stuckEventSeconds ? warn : fail)(text, command));
  } else if (failed > 0)
    findings.push(info(`${failed} events wait for another attempt after an error.`, 'npm run ops -- outbox stats'));
  if (dlq > 0)
    findings.push(
      warn(
        `${dlq} events have failed for good and wait for a person.`,
        'npm run ops -- dlq list --source outbox --groups',
      ),
    );
  return findings.length > 0 ? findings : [ok(`${pending} events are in the outbox, none for long.`)];
}

function starterOf(taskType: string, lane: string, { taskTypesOf }: TaskFacts, mending: Mending): string {
  if (lane === 'inline') return mending.start('api');
  const kind = Object.keys(taskTypesOf).find((one) => taskTypesOf[one]?.includes(taskType) === true);
  return mending.start(`worker-${kind ?? taskType}`, lane === 'canary' ? 'canary' : 'stable');
}
