/** The task queues of libs/tasks in memory, for one process: what it sends arrives, or not, over its connection. */
import { queueName, type DeadTask, type Lane, type TaskHint, type TaskSource } from '@omnizap/tasks';
import type { History, Settling } from './history.ts';
import type { Send } from './network.ts';
import {
  attemptNumber,
  toFetched,
  type Attempt,
  type Job,
  type QueueOperations,
  type QueueTables,
} from './queue-tables.ts';
import type { Rules } from './rules.ts';

const defaultCrashLimit = 3;
/** A fetch whose answer is on its way is no loss. */
const answerPatienceMs = 5_000;

type Deps = {
  tables: QueueTables;
  operations: QueueOperations;
  send: Send;
  now: () => number;
  history: History;
  rules: Rules;
  notify: (topicOfType: string) => void;
  processId: string;
};

export type MemoryTaskQueues = ReturnType<typeof createMemoryTaskQueues>;

export function createMemoryTaskQueues(deps: Deps) {
  const { tables, operations, send, now, history, rules, notify, processId } = deps;

  function settled(how: Settling, attempt: Attempt, hasEffect: boolean): void {
    const { id: taskId, retryCount } = attempt;
    history.record({ kind: 'settled', by: processId, taskId, retryCount, how, hasEffect });
  }

  async function byQueue<T extends { queue: string }>(tasks: T[], work: (own: T[]) => Promise<void>): Promise<void> {
    for (const own of Map.groupBy(tasks, (task) => task.queue).values()) await work(own);
  }

  async function enqueue(hints: TaskHint[], lane: Lane | ((subjectId: string) => Lane) = 'stable'): Promise<void> {
    const own = unique(hints);
    if (own.length === 0) return;
    const laneOf = typeof lane === 'function' ? lane : () => lane;
    await send('insert tasks', () => {
      for (const hint of own) {
        const { taskType, subjectId } = hint;
        const queue = queueName(taskType, laneOf(subjectId));
        operations.insert(hint, queue);
        const isWaiting = [...tables.jobs.values()].some(
          (job) => job.queue === queue && job.subjectId === subjectId && job.state === 'created',
        );
        history.record({ kind: 'hinted', by: processId, queue, subject: `${taskType}:${subjectId}`, isWaiting });
      }
      for (const eventId of new Set(hints.map((hint) => hint.eventId)))
        if (eventId !== undefined) history.record({ kind: 'handed-over', by: processId, eventId });
    });
    for (const taskType of new Set(own.map((hint) => hint.taskType))) notify(taskType);
  }

  async function giveBackAll(attempts: Attempt[], how: Settling): Promise<void> {
    await send('give tasks back', () => {
      for (const attempt of attempts) settled(how, attempt, operations.giveBack(attempt, 0, {}));
    });
  }

  const source: TaskSource = {
    async fetch(taskType, lane, limit) {
      const queue = queueName(taskType, lane);
      if (!(await send('is anything due', () => operations.hasDue(queue)))) return [];
      return send('fetch tasks', () =>
        operations.fetch(queue, limit, processId).map((job) => {
          history.record({
            ...{ kind: 'fetched', by: processId, taskId: job.id, retryCount: job.retryCount, queue },
            ...{ attempt: attemptNumber(job), subject: `${taskType}:${job.subjectId}` },
          });
          return toFetched(job);
        }),
      );
    },

    complete: (tasks) =>
      byQueue(tasks, (own) =>
        send('complete tasks', () => {
          for (const task of own) settled('complete', task, operations.complete(task));
        }),
      ),

    retry: (task) =>
      send('retry a task', () => {
        const delayMs = operations.backoffMs(task.taskType, task.attempt);
        settled('retry', task, operations.retryLater(task, delayMs, { isSuspect: false }));
      }),

    bury: (task) => send('bury a task', () => settled('bury', task, operations.bury(task))),

    async giveBack(tasks, how) {
      await byQueue(tasks, async (own) => {
        for (const [postponed, same] of Map.groupBy(own, (task) => task.data.postponed)) {
          const patch = {
            ...(how.isPostponed === true ? { postponed: postponed + 1, isSuspect: false } : {}),
            ...(how.isSuspect === true ? { isSuspect: true } : {}),
          };
          await send('give tasks back', () => {
            for (const task of same) settled('give-back', task, operations.giveBack(task, how.delayMs, patch));
          });
        }
      });
      for (const taskType of new Set(tasks.map((task) => task.taskType))) notify(taskType);
    },

    workAlone: (task) => send('work it alone', () => operations.setAlone(task)),

    async giveBackUnknown(known) {
      const isKnown = new Set(known.map((task) => `${task.id}:${task.retryCount}`));
      const claimed = await send('what have I claimed', () =>
        operations.claims().filter((job) => job.claimedBy === processId && job.startedAtMs < now() - answerPatienceMs),
      );
      const unknown = claimed.filter((claim) => !isKnown.has(`${claim.id}:${claim.retryCount}`));
      await byQueue(unknown, (own) => giveBackAll(own, 'give-back'));
      return unknown.length;
    },
  };

  async function rescueOne(claim: Job, keep: (task: DeadTask) => Promise<void>): Promise<void> {
    if (!claim.isAlone && rules.sparesNeighbours) {
      await send('rescue a task', () => settled('rescue', claim, operations.giveBack(claim, 0, { isSuspect: true })));
      return;
    }
    const crashes = claim.crashes + 1;
    const attempt = attemptNumber(claim);
    if (crashes < (operations.settingsOf(claim.taskType).crashLimit ?? defaultCrashLimit)) {
      const delayMs = operations.backoffMs(claim.taskType, attempt);
      await send('rescue a task', () =>
        settled('rescue', claim, operations.retryLater(claim, delayMs, { isSuspect: true, crashes })),
      );
      return;
    }
    await keep(deadTaskOf(claim, `Its process died ${crashes} times while it worked this task and nothing else.`));
    await send('bury a task', () => settled('bury', claim, operations.bury(claim)));
  }

  return {
    ...source,
    enqueue,

    async rescue(liveProcesses: () => Promise<string[]>, keep: (task: DeadTask) => Promise<void>): Promise<number> {
      const claims = await send('everything in hand', () => operations.claims());
      if (claims.length === 0) return 0;
      const live = new Set(await liveProcesses());
      const dead = claims.filter((claim) => !live.has(claim.claimedBy ?? ''));
      for (const claim of dead) await rescueOne(claim, keep);
      for (const taskType of new Set(dead.map((claim) => claim.taskType))) notify(taskType);
      return dead.length;
    },

    supervise: () =>
      send('supervise', () => {
        for (const job of operations.expire()) settled('expire', job, true);
      }),

    async drainDead(keep: (task: DeadTask) => Promise<void>): Promise<void> {
      const dead = await send('fetch dead letters', () => tables.deadLetters.splice(0));
      for (const job of dead) await keep(deadTaskOf(job, 'Its worker hung each time.'));
    },
  };
}

function deadTaskOf(job: Job, error: string): DeadTask {
  return {
    ...{ id: job.id, taskType: job.taskType, subjectId: job.subjectId, attempts: attemptNumber(job), error },
    payload: {},
  };
}

/** Of two hints for one subject the first counts. */
function unique(hints: TaskHint[]): TaskHint[] {
  const seen = new Map<string, TaskHint>();
  for (const hint of hints) {
    const key = `${hint.taskType}:${hint.subjectId}`;
    if (!seen.has(key)) seen.set(key, hint);
  }
  return [...seen.values()];
}
