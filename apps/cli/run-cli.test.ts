import { describe, expect, it } from '@jest/globals';
import { PassThrough } from 'node:stream';
import { groups } from './groups.ts';
import { runCli } from './run-cli.ts';
import { createTerminal } from './terminal.ts';

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const streams = { input: new PassThrough(), output: new PassThrough(), errors: new PassThrough() };
  const terminal = createTerminal(streams as unknown as Parameters<typeof createTerminal>[0]);
  const code = await runCli(groups, args, terminal);
  const read = (stream: PassThrough): string => (stream.read() as Buffer | null)?.toString('utf8') ?? '';
  return { code, out: read(streams.output), err: read(streams.errors) };
}

describe('the operator CLI, typed wrongly', () => {
  it.each([
    ['', 'Usage: npm run ops -- <group> <command>'],
    ['dql', 'There is no group "dql". There are: dlq, doctor, flags, moderation, outbox, queues, release, retention'],
    ['--json dlq list', 'There is no group "--json"'],
    ['dlq', 'Usage: npm run ops -- dlq <command>'],
    ['dlq delete', 'There is no command "delete". There are: list, show, redrive, discard.'],
    ['dlq list --sauce outbox', 'There is no option --sauce. Options: --source, --type'],
    ['dlq list -x', 'There is no option -x.'],
    ['dlq list outbox', '"outbox" is too much'],
    ['dlq list --source inbox', '--source must be outbox or tasks, not "inbox"'],
    ['dlq list --limit 0', '--limit must be a whole number from 1 to 200, not "0"'],
    ['dlq list --limit 1e2', '--limit must be a whole number from 1 to 200, not "1e2"'],
    ['dlq list --limit', '--limit'],
    ['dlq list --type=', '--type must not be empty'],
    ['dlq list --failed-after yesterday', '--failed-after must be an instant such as'],
    ['dlq list --failed-after 2026-02-31T99:00Z', '--failed-after must be an instant such as'],
    ['dlq list --cursor x', '--cursor needs the --source'],
    ['dlq list --groups --source tasks --cursor x', '--groups has no pages'],
    ['dlq show', 'Which one?'],
    ['release verify --release beta', '--release must be stable or canary, not "beta"'],
    ['release verify --expect-version newest', '--expect-version must be a version such as'],
    ['release verify --api-processes 1.5', '--api-processes must be a whole number from 0 to 64, not "1.5"'],
    ['release verify --timeout -1', '--timeout'],
    ['dlq show outbox:1 outbox:2', 'Which one?'],
    ['dlq show 12', 'Say outbox:12 or tasks:12'],
    ['dlq show inbox:12', '"inbox:12" is no dead letter'],
    ['dlq redrive', 'What is to be redriven?'],
    ['dlq redrive --source outbox', 'What is to be redriven?'],
    ['dlq redrive --yes --type rebuild', 'A filter needs --source'],
    ['dlq redrive --yes --source tasks --type rebuild --all', 'Either a filter or --all'],
    ['dlq redrive --yes outbox:1 --rate 5', 'Either ids or a filter'],
    ['dlq redrive --yes outbox:1 --type rebuild', 'Either ids or a filter'],
    ['dlq redrive --yes --source outbox --all --rate 0', '--rate must be a number from 0.01 to 1000'],
    ['dlq redrive --yes --source outbox --all --limit 10001', '--limit must be a whole number from 1 to 10000'],
    ['dlq redrive outbox:1', 'There is no terminal to ask on: look with --preview, then say --yes.'],
    ['dlq redrive --source outbox --all', 'There is no terminal to ask on'],
    ['dlq discard outbox:1 --yes', 'A discard needs a --reason'],
    ['dlq discard outbox:1 --reason x', 'There is no terminal to ask on'],
    [`dlq discard outbox:1 --yes --reason ${'x'.repeat(501)}`, '--reason must have at most 500 characters'],
    [`dlq discard outbox:1 --yes --reason x --actor ${'x'.repeat(121)}`, '--actor must have at most 120 characters'],
    ['retention run', 'There is no terminal to ask on'],
    ['retention run finished-events interactions', 'One policy at a time'],
    ['retention restore', 'Which archive?'],
    ['retention restore a b', 'Which archive?'],
    ['retention restore a.manifest.json --into x;y', "--into must be a table's name"],
    ['retention restore a.manifest.json', 'There is no terminal to ask on'],
    ['doctor now', '"now" is too much'],
    ['doctor --only moon', 'There is no check "moon". There are: configuration, disk'],
    ['outbox show', 'Give the id of one event'],
    ['outbox show x', 'Give the id of one event'],
    ['moderation approve some-pack', 'Say why with --reason'],
    ['moderation approve --reason x', 'Give keys of packs, or sticker:<id>'],
    ['moderation approve Some_Pack --reason x', '"Some_Pack" is neither a pack nor a sticker'],
    ['moderation take-down sticker:some --reason x', '"sticker:some" is neither a pack nor a sticker'],
    ['moderation take-down some-pack --reason x', 'There is no terminal to ask on: say --yes.'],
    ['moderation reject sticker:01990000-0000-7000-8000-000000000000 --reason x', 'Only packs are rejected'],
    ['moderation restore some-pack --reason x --yes', 'There is no option --yes.'],
    ['moderation ban somebody --reason x --yes', '"somebody" cannot be banned: say owner:<id>'],
    ['moderation ban owner:somebody --yes', 'Say why with --reason'],
    ['moderation ban owner:somebody --reason x', 'There is no terminal to ask on'],
    ['moderation unban somebody --reason x', '"somebody" is no ban'],
    ['moderation dismiss one --reason x', '"one" is no report'],
    ['moderation queue --reported --type pack', '--type goes with what is held'],
    ['moderation show', 'Give the key of one pack'],
  ])('%j is refused with code 2 and what would be right', async (line, message) => {
    const { code, out, err } = await run(...line.split(' ').filter(Boolean));

    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(message);
  });
});

describe('the help of the operator CLI', () => {
  it('is there at each level, with examples', async () => {
    const all = await run('--help');
    const group = await run('dlq', '--help');
    const command = await run('dlq', 'redrive', 'outbox:1', '--help');

    for (const { code, err } of [all, group, command]) expect([code, err]).toEqual([0, '']);
    for (const { name } of groups) expect(all.out).toMatch(new RegExp(`^ {2}${name} `, 'm'));
    expect(group.out).toContain('redrive [<id>...]');
    expect(command.out).toContain('--error-contains <text>');
    expect(command.out).toMatch(/Examples:\n {2}npm run ops -- dlq redrive /);
  });

  it('shows examples that the command takes', async () => {
    for (const group of groups)
      for (const command of group.commands) {
        expect([command.name, command.examples.length > 0]).toEqual([command.name, true]);
        for (const example of command.examples) {
          const given = [...example.matchAll(/--([\w-]+)/g)].map(([, name]) => name);
          expect(example.startsWith(`${group.name} ${command.name}`.trim())).toBe(true);
          expect(given.filter((name) => name !== 'json' && !(name !== undefined && name in command.options))).toEqual(
            [],
          );
        }
      }
  });
});
