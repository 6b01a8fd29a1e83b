/** What is kept how long, taking away what has had its time, and putting an archive back. */
import type { RetentionStatus } from '@omnizap/runtime';
import { UsageError, type Command, type Group } from '../command.ts';
import { age } from '../terminal.ts';

const status: Command = {
  name: 'status',
  summary: 'Lists every policy: what is kept how long, what is due, when it was last carried out',
  options: {},
  examples: ['retention status', 'retention status --json'],
  async run({ session, terminal, isJson }) {
    const policies = await (await session.retention()).status();
    if (isJson) {
      terminal.json({ data: policies.map(statusJson) });
      return 0;
    }
    terminal.table(
      ['POLICY', 'KEPT', 'THEN', 'OLDEST', 'DUE', 'LAST RUN', 'REMOVED', 'TABLE'],
      policies.map((policy) => [
        policy.policy,
        policy.keepDays === 'for-ever' ? 'for ever' : `${policy.keepDays} d`,
        policy.action,
        policy.oldestSeconds === null ? '-' : age(new Date(Date.now() - policy.oldestSeconds * 1_000)),
        policy.due === null ? '-' : `${policy.due.rows}${policy.due.isAtLeast ? '+' : ''}`,
        policy.finishedAt === null ? '-' : `${age(policy.finishedAt)} ago`,
        String(policy.removedRows),
        policy.table,
      ]),
    );
    for (const { policy, lastError } of policies)
      if (lastError !== null) terminal.note(`${policy} failed: ${lastError.split('\n', 1)[0] ?? ''}`);
    return 0;
  },
};

function statusJson(status: RetentionStatus) {
  return {
    policy: status.policy,
    table: status.table,
    keep_days: status.keepDays === 'for-ever' ? null : status.keepDays,
    action: status.action,
    reason: status.reason,
    oldest_seconds: status.oldestSeconds === null ? null : Math.round(status.oldestSeconds),
    due_rows: status.due?.rows ?? null,
    due_is_at_least: status.due?.isAtLeast ?? null,
    finished_at: status.finishedAt?.toISOString() ?? null,
    removed_rows: status.removedRows,
    archive_files: status.archiveFiles,
    last_archive: status.lastArchive,
    failed_at: status.failedAt?.toISOString() ?? null,
    last_error: status.lastError,
  };
}

const run: Command = {
  name: 'run',
  summary: 'Carries out one policy, or all of them, to the end and now; what is archived goes to ARCHIVE_DIR first',
  operands: '[<policy>]',
  options: { yes: { type: 'boolean', description: 'Do not ask' } },
  examples: ['retention run finished-events', 'retention run --yes --json'],
  async run({ operands, options, session, terminal, isJson }) {
    const [policy, ...more] = operands;
    if (more.length > 0) throw new UsageError('One policy at a time, or none for all of them.');
    if (!options.flag('yes')) {
      if (!terminal.isInteractive())
        throw new UsageError('There is no terminal to ask on: look with "retention status", then say --yes.');
      if (!(await terminal.confirm(`Remove what is due by ${policy ?? 'every policy'} now?`))) return 1;
    }
    const runs = await (
      await session.retention()
    ).run(policy, {
      onProgress: ({ policy: name, removed, isFinished }) => {
        if (!isFinished) terminal.note(`${name}: ${removed} rows so far`);
      },
    });
    if (isJson)
      terminal.json({ data: runs.map(({ policy: name, removed, archives }) => ({ policy: name, removed, archives })) });
    else
      for (const { policy: name, removed, archives } of runs)
        terminal.say(
          `${name}: removed ${removed} rows${archives.length > 0 ? `, archived in ${archives.join(', ')}` : ''}`,
        );
    return 0;
  },
};

const restore: Command = {
  name: 'restore',
  summary: 'Puts the rows of an archive back after checking it against its manifest; what is there already stays',
  operands: '<manifest>',
  options: {
    into: {
      type: 'string',
      value: 'table',
      description: 'Into a table beside the original, made when it is not there',
    },
    yes: { type: 'boolean', description: 'Do not ask' },
  },
  examples: [
    'retention restore interactions/1-20000-01.manifest.json --into interactions_of_spring',
    'retention restore archives/interactions/1-20000-01.manifest.json --yes',
  ],
  async run({ operands, options, session, terminal, isJson }) {
    const [manifest, ...more] = operands;
    if (manifest === undefined || more.length > 0)
      throw new UsageError(
        'Which archive? Give the path of one manifest, or its name as "retention status --json" has it.',
      );
    const into = options.text('into');
    if (into !== undefined && !/^[a-z][a-z0-9_]{0,62}$/.test(into))
      throw new UsageError(`--into must be a table's name of lower-case letters, digits and _, not "${into}".`);
    if (!options.flag('yes')) {
      if (!terminal.isInteractive()) throw new UsageError('There is no terminal to ask on: say --yes.');
      if (!(await terminal.confirm(`Put the rows of ${manifest} back${into === undefined ? '' : ` into ${into}`}?`)))
        return 1;
    }
    const retention = await session.retention();
    const { table, inserted, present } = await retention.restore(manifest, into === undefined ? {} : { into });
    if (isJson) terminal.json({ data: { table, inserted, present } });
    else terminal.say(`${table}: ${inserted} rows put back, ${present} were there already`);
    return 0;
  },
};

export const retention: Group = {
  name: 'retention',
  summary: 'What is kept how long, and archives of what has left',
  commands: [status, run, restore],
};
