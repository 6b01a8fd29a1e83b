/** Which dead letters a command is about: by id, or by filter. */
import { deadLetterSources, type DeadLetterFilter, type DeadLetterSource } from '@omnizap/outbox';
import { UsageError, type OptionSpec, type Options } from './command.ts';

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
