/** Help at each level, made from the table of commands. */
import type { Command, Group, OptionSpec } from './command.ts';

const call = 'npm run ops --';

/** Every command has them. */
export const commonOptions: Record<string, OptionSpec> = {
  json: { type: 'boolean', description: 'The answer as JSON (with "npm run -s ops --", so that npm adds nothing)' },
  help: { type: 'boolean', description: 'This help' },
};

export function helpOfAll(groups: Group[]): string {
  return [
    `Usage: ${call} <group> <command> [options]`,
    '',
    'Looks into the system and mends it, straight on its databases: nothing else has to be running.',
    '',
    'Groups:',
    ...aligned(groups.map(({ name, summary }) => [name, summary])),
    '',
    `"${call} <group> --help" lists a group's commands, "${call} <group> <command> --help" explains one.`,
    'Every command takes --json. Exit code: 0 done, 1 failed, 2 wrong usage.',
    '',
    'Examples:',
    ...groups
      .flatMap(({ commands }) => commands[0]?.examples.slice(0, 1) ?? [])
      .map((example) => `  ${call} ${example}`),
  ].join('\n');
}

export function helpOfGroup(group: Group): string {
  return [
    `Usage: ${call} ${group.name} <command> [options]`,
    '',
    `${group.summary}.`,
    '',
    'Commands:',
    ...aligned(group.commands.map(({ name, operands, summary }) => [[name, operands].join(' ').trim(), summary])),
    '',
    `"${call} ${group.name} <command> --help" explains one.`,
  ].join('\n');
}

export function helpOfCommand(group: Group, command: Command): string {
  const options = { ...command.options, ...commonOptions };
  return [
    `Usage: ${call} ${[group.name, command.name, command.operands].filter(Boolean).join(' ')} [options]`,
    '',
    `${command.summary}.`,
    '',
    'Options:',
    ...aligned(
      Object.entries(options).map(([name, spec]) => [
        `--${name}${spec.type === 'string' ? ` <${spec.value}>` : ''}`,
        spec.description,
      ]),
    ),
    '',
    'Examples:',
    ...command.examples.map((example) => `  ${call} ${example}`),
  ].join('\n');
}

function aligned(rows: [string, string][]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
