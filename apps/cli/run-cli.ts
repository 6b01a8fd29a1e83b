/** Finds the command that was typed, runs it, and turns what it throws into one line and an exit code. */
import { parseArgs } from 'node:util';
import { errorText, isAppError, isDatabaseAway } from '@omnizap/runtime';
import { UsageError, readOptions, type Command, type Group } from './command.ts';
import { commonOptions, helpOfAll, helpOfCommand, helpOfGroup } from './help.ts';
import { createSession } from './session.ts';
import { printable, type Terminal } from './terminal.ts';

const helpWords = new Set(['--help', '-h', 'help']);

/** Returns the exit code: 0 done, 1 failed, 2 wrong usage. */
export async function runCli(groups: Group[], args: string[], terminal: Terminal): Promise<number> {
  const [groupName, ...others] = args;
  if (groupName === undefined) return explain(terminal, helpOfAll(groups));
  if (helpWords.has(groupName)) {
    if (args.includes('--json')) terminal.json(tableOf(groups));
    else terminal.say(helpOfAll(groups));
    return 0;
  }
  const group = groups.find(({ name }) => name === groupName);
  if (!group) return refuse(terminal, unknown('group', groupName, groups), '');
  const isCommand = group.commands.some(({ name }) => name === '');
  const [commandName, ...rest] = isCommand ? ['', ...others] : others;
  if (commandName === undefined) return explain(terminal, helpOfGroup(group));
  if (helpWords.has(commandName)) {
    terminal.say(helpOfGroup(group));
    return 0;
  }
  const command = group.commands.find(({ name }) => name === commandName);
  if (!command) return refuse(terminal, unknown('command', commandName, group.commands), ` ${group.name}`);
  if (rest.includes('--help') || rest.includes('-h')) {
    terminal.say(helpOfCommand(group, command));
    return 0;
  }
  const path = ` ${group.name} ${command.name}`.trimEnd();
  const session = createSession();
  try {
    const { values, operands } = parse(command, rest);
    const isJson = values.json === true;
    return await command.run({ operands, options: readOptions(values), session, terminal, isJson });
  } catch (error) {
    if (error instanceof UsageError) return refuse(terminal, error.message, path);
    terminal.note(printable(`ops${path}: ${reasonOf(error)}`));
    return isAppError(error, 'configuration-invalid') ? 2 : 1;
  } finally {
    await session.close();
  }
}

function parse(command: Command, args: string[]): { values: Record<string, unknown>; operands: string[] } {
  const specs = { ...command.options, ...commonOptions };
  const options = Object.fromEntries(Object.entries(specs).map(([name, { type }]) => [name, { type }]));
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true, strict: true });
    if (positionals.length > 0 && command.operands === undefined)
      throw new UsageError(`"${positionals[0]}" is too much: this command takes options only.`);
    return { values, operands: positionals };
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
      const [, name = ''] = /'(-[^']*)'/.exec(message) ?? [];
      const names = Object.keys(specs).map((option) => `--${option}`);
      throw new UsageError(`There is no option ${name}. Options: ${names.join(', ')}.`);
    }
    if (code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE')
      throw new UsageError(`${message.split('\n', 1)[0] ?? message}.`);
    throw error;
  }
}

/** The lines of configuration problems stay; anything else is one line. */
function reasonOf(error: unknown): string {
  if (isAppError(error)) return error.message;
  const [line = ''] = errorText(error).split('\n', 1);
  return isDatabaseAway(error)
    ? `the database does not answer (${line}). Is it running, and does DATABASE_URL say where?`
    : line;
}

function unknown(what: string, given: string, known: { name: string }[]): string {
  return `There is no ${what} "${given}". There are: ${known.map(({ name }) => name).join(', ')}.`;
}

function refuse(terminal: Terminal, message: string, path: string): number {
  terminal.note(printable(`ops${path}: ${message}\nMore: npm run ops --${path} --help`));
  return 2;
}

/** Asked for nothing: the help is what was missing. */
function explain(terminal: Terminal, help: string): number {
  terminal.note(help);
  return 2;
}

function tableOf(groups: Group[]): object {
  return {
    groups: groups.map(({ name, summary, commands }) => ({
      name,
      summary,
      commands: commands.map((command) => ({
        name: command.name,
        summary: command.summary,
        options: Object.keys(command.options),
      })),
    })),
  };
}
