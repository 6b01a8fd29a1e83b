/** Who changes something, and why: options of every command that does. */
import { userInfo } from 'node:os';
import { UsageError, type OptionSpec, type Options } from './command.ts';

const longestActor = 120;
const longestReason = 500;

export const changerOptions: Record<string, OptionSpec> = {
  reason: { type: 'string', value: 'text', description: 'Why; kept in the history and the audit log' },
  actor: { type: 'string', value: 'name', description: 'Who; default: your user name on this host' },
};

/** @throws UsageError without a reason: it is what the next person will ask for */
export function changerOf(options: Options): { actor: string; reason: string } {
  const { actor, reason } = settlerOf(options);
  if (reason === undefined) throw new UsageError('Say why with --reason "...": it is kept in the audit log.');
  return { actor, reason };
}

/** For commands that need no reason. @throws UsageError */
export function settlerOf(options: Options): { actor: string; reason: string | undefined } {
  const actor = options.text('actor') ?? userInfo().username;
  if (actor.length > longestActor) throw new UsageError(`--actor must have at most ${longestActor} characters.`);
  const reason = options.text('reason');
  if (reason !== undefined && reason.length > longestReason)
    throw new UsageError(`--reason must have at most ${longestReason} characters.`);
  return { actor: `cli:${actor}`, reason };
}
