/** The task queues. */
import { setTimeout as delay } from 'node:timers/promises';
import { countDueWork, taskTypes } from '@omnizap/catalog';
import { flagsTopic, pauseJson } from '@omnizap/rollout';
import { taskCountJson } from '@omnizap/tasks';
import { changerOf, changerOptions } from '../changer-options.ts';
import { UsageError, type Call, type Command, type Group } from '../command.ts';
import { age } from '../terminal.ts';

const lookIntervalMs = 1_000;

/** @throws UsageError */
function typesOf({ operands, options }: Call): string[] {
  if (options.flag('all') === operands.length > 0)
    throw new UsageError(`Name task types (${taskTypes.join(', ')}), or say --all.`);
  for (const name of operands)
    if (!taskTypes.some((type) => type === name))
      throw new UsageError(`There is no task type "${name}". The types are ${taskTypes.join(', ')}.`);
  return options.flag('all') ? [...taskTypes] : [...new Set(operands)];
}

const allOption = { all: { type: 'boolean', description: 'Every task type' } } as const;

const stats: Command = {
  name: 'stats',
  summary: 'Counts unfinished tasks by type, lane and state, and subjects whose work is wanted and not done',
  options: {},
  examples: ['queues stats', 'queues stats --json'],
  async run({ session, terminal, isJson }) {
    const due = await countDueWork(await session.database());
    const pauses = await (await session.taskPauses()).list();
    const counts = (await (await session.taskQueues()).counts()).toSorted(
      (a, b) => a.taskType.localeCompare(b.taskType) || a.lane.localeCompare(b.lane) || a.state.localeCompare(b.state),
    );
    if (isJson) {
      terminal.json({
        data: counts.map(taskCountJson),
        due: due.map(({ taskType, subjects }) => ({ task_type: taskType, subjects })),
        paused: pauses.map(pauseJson),
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
    for (const { taskType, pausedBy, reason, pausedAt } of pauses)
      terminal.say(`\n${taskType} is paused since ${age(pausedAt)} by ${pausedBy}: ${reason}`);
    return 0;
  },
};

const pause: Command = {
  name: 'pause',
  summary: 'Stops claiming tasks of these types, in every lane, within 2 s; what runs goes on, what comes waits',
  operands: '[<task type>...]',
  options: { ...allOption, ...changerOptions },
  examples: ['queues pause derivative --reason "disk is filling up"', 'queues pause --all --reason "database work"'],
  async run(call) {
    const types = typesOf(call);
    const paused = await (await call.session.taskPauses()).pause(types, changerOf(call.options));
    return tell(call, types, paused, 'paused');
  },
};

const resume: Command = {
  name: 'resume',
  summary: 'Lets paused types be claimed again',
  operands: '[<task type>...]',
  options: { ...allOption, ...changerOptions },
  examples: ['queues resume --all --reason "database work is done"'],
  async run(call) {
    const types = typesOf(call);
    const resumed = await (await call.session.taskPauses()).resume(types, changerOf(call.options));
    return tell(call, types, resumed, 'resumed');
  },
};

function tell(
  { session, terminal, isJson }: Call,
  types: string[],
  changed: string[],
  verb: 'paused' | 'resumed',
): number {
  session.announce(flagsTopic);
  if (isJson)
    terminal.json({
      data: types.map((type) => ({
        task_type: type,
        is_paused: verb === 'paused',
        was_changed: changed.includes(type),
      })),
    });
  else for (const type of types) terminal.say(`${type} is ${verb}${changed.includes(type) ? '' : ' (was already)'}`);
  return 0;
}

const drain: Command = {
  name: 'drain',
  summary: 'Waits until no task of these types waits or runs; new ones may still come',
  operands: '[<task type>...]',
  options: {
    ...allOption,
    running: { type: 'boolean', description: 'Only until none runs: after a pause, so that nobody is at work' },
    timeout: { type: 'string', value: 's', description: 'Gives up after so many seconds (1..86400, default 300)' },
  },
  examples: ['queues drain classification derivative', 'queues drain --all --running --timeout 60'],
  async run(call) {
    const { options, session, terminal, isJson } = call;
    const types = typesOf(call);
    const seconds = options.number('timeout', { min: 1, max: 86_400, isWhole: true }) ?? 300;
    const deadline = performance.now() + seconds * 1_000;
    const queues = await session.taskQueues();
    const progress = terminal.progress('tasks done');
    let most = 0;
    for (;;) {
      const counts = (await queues.counts()).filter(
        ({ taskType, state }) => types.includes(taskType) && (!options.flag('running') || state === 'active'),
      );
      const left = counts.reduce((sum, { count }) => sum + count, 0);
      most = Math.max(most, left);
      if (!isJson && most > 0) progress.at(most - left, most);
      if (left === 0 || performance.now() > deadline) {
        progress.done();
        if (isJson) terminal.json({ drained: left === 0, left });
        else terminal.say(left === 0 ? 'Nothing is left.' : `${left} tasks are left after ${seconds} s.`);
        return left === 0 ? 0 : 1;
      }
      await delay(lookIntervalMs);
    }
  },
};

export const queues: Group = {
  name: 'queues',
  summary: 'Tasks that wait, run or are to be retried; pausing and draining',
  commands: [stats, pause, resume, drain],
};
