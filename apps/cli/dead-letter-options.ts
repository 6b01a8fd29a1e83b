/** Which dead letters a command is about: by id, or by filter. */
import { userInfo } from 'node:os';
import { deadLetterLimits } from '@omnizap/catalog';
import { deadLetterSources, type DeadLetterFilter, type DeadLetterSource } from '@omnizap/outbox';
import { UsageError, type OptionSpec, type Options } from './command.ts';

const longestActor = 120;

export type Reference = { source: DeadLetterSource; id: number };

export const sourceOption: Record<string, OptionSpec> = {
  source: { type: 'string', value: 'outbox|tasks', description: 'Events or tasks' },
};

export const filterOptions: Record<string, OptionSpec> = {
  type: { type: 'string', value: 'name', description: 'Only this event or task type' },
  subject: { type: 'string', value: 'id', description: 'Only this aggregate or subject' },
  'error-contains': {
    type: 'string',
    value: 'text',
    description: 'Only with this text in the last error, as it is written',
  },
  'failed-after': {
    type: 'string',
    value: 'when',
    description: 'Only failed since: 2026-01-31T13:45Z, 2026-01-31, 90m, 2h, 3d',
  },
  'failed-before': { type: 'string', value: 'when', description: 'Only failed before' },
};

export const settlerOptions: Record<string, OptionSpec> = {
  reason: { type: 'string', value: 'text', description: 'Why; kept in the history and the audit log' },
  actor: { type: 'string', value: 'name', description: 'Who; default: your user name on this host' },
  yes: { type: 'boolean', description: 'Do not ask' },
};

export function filterOf(options: Options): DeadLetterFilter {
  return {
    type: options.text('type'),
    subjectId: options.text('subject'),
    errorContains: options.text('error-contains'),
    failedAfter: options.instant('failed-after'),
    failedBefore: options.instant('failed-before'),
  };
}

export const hasFilter = (filter: DeadLetterFilter): boolean =>
  Object.values(filter).some((value) => value !== undefined);

export const sourceOf = (options: Options): DeadLetterSource | undefined => options.oneOf('source', deadLetterSources);

export const nameOf = ({ source, id }: Reference): string => `${source}:${id}`;

/** `outbox:12`, or `12` with `--source outbox`. @throws UsageError */
export function parseReference(text: string, source: DeadLetterSource | undefined): Reference {
  const [, named, id = ''] = /^(?:(\w+):)?(\d{1,15})$/.exec(text) ?? [];
  const found = deadLetterSources.find((name) => name === (named ?? source));
  if (id === '' || (found === undefined && named !== undefined))
    throw new UsageError(
      `"${text}" is no dead letter: give its id as the list shows it, such as outbox:12 or tasks:7.`,
    );
  if (found === undefined) throw new UsageError(`Which ${text}? Say outbox:${text} or tasks:${text}.`);
  return { source: found, id: Number(id) };
}

export function settlerOf(options: Options): { actor: string; reason: string | undefined } {
  const actor = options.text('actor') ?? userInfo().username;
  if (actor.length > longestActor) throw new UsageError(`--actor must have at most ${longestActor} characters.`);
  const reason = options.text('reason');
  if (reason !== undefined && reason.length > deadLetterLimits.reasonLength)
    throw new UsageError(`--reason must have at most ${deadLetterLimits.reasonLength} characters.`);
  return { actor: `cli:${actor}`, reason };
}
