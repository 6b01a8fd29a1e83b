/** What the pages name must exist: each `npm run …`, wherever on a page it stands, against the scripts and the CLI itself. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { npmCommandsIn } from '@omnizap/testkit';
import { execFile } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

type HelpTable = { groups: { name: string; commands: { name: string; options: string[] }[] }[] };

const root = path.resolve(import.meta.dirname, '../..');
/** The contract names what is yet to come as well, and has a test of its own. */
const pages = ['README.md', ...globSync('{runbooks,observability}/**/*.md', { cwd: root })].filter(
  (page) => page !== path.join('runbooks', 'contract.md'),
);
const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

describe('the commands that pages name', () => {
  let table: HelpTable;

  beforeAll(async () => {
    const help = [path.join(root, 'apps/cli/main.ts'), '--help', '--json'];
    table = JSON.parse((await promisify(execFile)(process.execPath, help)).stdout) as HelpTable;
  });

  it.each(pages)('exist on %s', (page) => {
    const commands = npmCommandsIn(readFileSync(path.join(root, page), 'utf8'));
    expect(commands.flatMap((command) => problemsOf(command, table))).toEqual([]);
  });

  it('are typed by a test wherever a page has them in blocks', () => {
    const tests = globSync('*.test.ts', { cwd: import.meta.dirname }).map((file) =>
      readFileSync(path.join(import.meta.dirname, file), 'utf8'),
    );
    const withBlocks = globSync('*.md', { cwd: path.join(root, 'runbooks') }).filter((page) =>
      /^ *```(?:bash|sql)\b/m.test(readFileSync(path.join(root, 'runbooks', page), 'utf8')),
    );
    expect(withBlocks).toContain('rollback.md');
    expect(
      withBlocks.filter((page) => {
        const opening = new RegExp(`\\b(?:open|openRunbook)\\('${path.basename(page, '.md')}'`);
        return !tests.some((text) => opening.test(text));
      }),
    ).toEqual([]);
  });

  it('are compared with what there is', () => {
    expect(problemsOf('npm run dance', table)).toEqual(['npm run dance: there is no script dance']);
    expect(problemsOf('npm run ops -- dlq sing', table)).toEqual(['npm run ops -- dlq sing: there is no command']);
    expect(problemsOf('npm run ops -- dlq list --loud', table)).toEqual([
      'npm run ops -- dlq list --loud: there is no --loud',
    ]);
    expect(problemsOf('npm run pm2 -- start deploy/pm2/gone.cjs', table)).toEqual([
      'npm run pm2 -- start deploy/pm2/gone.cjs: there is no deploy/pm2/gone.cjs',
    ]);
    expect(problemsOf('npm run -s ops -- dlq redrive <id> --yes --json', table)).toEqual([]);
  });
});

/** One line per problem. Words in <> or … are for the reader to fill in. */
function problemsOf(command: string, { groups }: HelpTable): string[] {
  const words = command
    .replaceAll(/"[^"]*"|'[^']*'/g, 'quoted')
    .split(/\s+/)
    .slice(1);
  const script = words[0] === 'run' ? words.slice(1).find((word) => !word.startsWith('-')) : words[0];
  if (script === undefined || isOpen(script)) return [];
  if (scripts[script] === undefined) return [`${command}: there is no script ${script}`];
  const after = words.slice(words.indexOf(script) + 1).filter((word) => word !== '--');
  const files = after.filter((word) => /^(?:deploy|runbooks|tools)\//.test(word) && !existsSync(path.join(root, word)));
  const problems = files.map((file) => `${command}: there is no ${file}`);
  if (script !== 'ops') return problems;

  const [groupName, commandName] = after;
  if (groupName === undefined || isOpen(groupName) || groupName.startsWith('--')) return problems;
  const group = groups.find(({ name }) => name === groupName);
  if (group === undefined) return [...problems, `${command}: there is no group`];
  if (commandName === undefined || isOpen(commandName) || commandName.startsWith('--')) return problems;
  const named = (wanted: string) => group.commands.find(({ name }) => name === wanted);
  // A group that is one command takes what stands behind it.
  const options = (named(commandName) ?? named(''))?.options;
  if (options === undefined) return [...problems, `${command}: there is no command`];
  const known = new Set([...options, 'json', 'help']);
  return [
    ...problems,
    ...after.flatMap((word) => {
      const option = /^--([\w-]+)/.exec(word)?.[1];
      return option === undefined || known.has(option) ? [] : [`${command}: there is no --${option}`];
    }),
  ];
}

function isOpen(word: string): boolean {
  return /[<…]|^\.\.\.$/.test(word);
}
