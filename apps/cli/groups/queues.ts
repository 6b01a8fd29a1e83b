/** The task queues. */
import { countDueWork } from '@omnizap/catalog';
import type { Command, Group } from '../command.ts';

const stats: Command = {
  name: 'stats',
  summary: 'Counts unfinished tasks by type, lane and state, and subjects whose work is wanted and not done',
  options: {},
  examples: ['queues stats', 'queues stats --json'],
  async run({ session, terminal, isJson }) {
    const due = await countDueWork(await session.database());
    const counts = (await (await session.taskQueues()).counts()).toSorted(
      (a, b) => a.taskType.localeCompare(b.taskType) || a.lane.localeCompare(b.lane) || a.state.localeCompare(b.state),
    );
    if (isJson) {
      terminal.json({
        data: counts.map(({ taskType, lane, state, count, oldestSeconds }) => ({
          task_type: taskType,
          lane,
          state,
          count,
          oldest_seconds: Math.round(oldestSeconds),
        })),
        due: due.map(({ taskType, subjects }) => ({ task_type: taskType, subjects })),
      });
      return 0;
    }
    if (counts.length === 0) terminal.say('No task waits, runs or is to be retried.');
    else
      terminal.table(
        ['TYPE', 'LANE', 'STATE', 'COUNT', 'OLDEST'],
        counts.map(({ taskType, lane, state, count, oldestSeconds }) => [
          taskType,
          lane,
          state,
          String(count),
          `${Math.round(oldestSeconds)} s`,
        ]),
      );
    terminal.say('\nSubjects with work to do');
    terminal.fields(Object.fromEntries(due.map(({ taskType, subjects }) => [taskType, subjects])));
    return 0;
  },
};

export const queues: Group = {
  name: 'queues',
  summary: 'Tasks that wait, run or are to be retried',
  commands: [stats],
};
