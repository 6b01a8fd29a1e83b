import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectDatabase, type Database } from '@omnizap/runtime';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createTestDatabase, testDatabaseKinds, type TestDatabase } from '../test-database.ts';
import { openRunbook, type Runbook, type RunbookOptions } from './open-runbook.ts';

describe.each(testDatabaseKinds())('openRunbook with a catalogue on %s', (kind) => {
  let folder: string;
  let test: TestDatabase;
  let database: Database;
  const opened: Runbook[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'omnizap runbook '));
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl);
  });

  afterAll(async () => {
    await Promise.all(opened.map(async (runbook) => await runbook.close()));
    await database.close();
    await test.drop();
    await rm(folder, { recursive: true, force: true });
  });

  async function open(lines: string[], more: Partial<RunbookOptions> = {}): Promise<Runbook> {
    await writeFile(path.join(folder, 'page.md'), lines.join('\n').replaceAll('~~~', '```'));
    const env = { PATH: process.env.PATH ?? '', GREETING: 'good morning' };
    const runbook = await openRunbook('page', { env, database: () => database, kind, folder, ...more });
    opened.push(runbook);
    return runbook;
  }

  it('types the blocks of a page in their order, in one shell and on the catalogue', async () => {
    const runbook = await open([
      '## Look',
      '~~~bash',
      `export WHO='somebody'   # fill in: whom to greet`,
      'own="mine"',
      'cd /',
      '~~~',
      '~~~bash',
      `echo "$GREETING, $WHO, in $PWD"`,
      `bash -c 'echo "\${WHO-nobody} and \${own-nothing}"'; echo "$own"`,
      '~~~',
      '~~~text',
      'good morning, … in /',
      '~~~',
      '## Write',
      '~~~sql',
      'CREATE TABLE seen (id INTEGER);',
      'INSERT INTO seen (id) VALUES (7);',
      'SELECT id FROM seen;',
      '~~~',
      `~~~sql ${kind === 'postgres' ? 'mysql' : 'postgres'}`,
      'SELECT not_for_this_database;',
      '~~~',
    ]);
    const seen: string[] = [];

    const looked = await runbook.run('Look', {
      fill: { WHO: "O'Neill; exit" },
      after: ({ out }) => void seen.push(out),
    });
    const leftThen = runbook.left();
    const written = await runbook.run('Write');

    expect(looked.at(-1)?.out).toBe("good morning, O'Neill; exit, in /\nO'Neill; exit and nothing\nmine\n");
    expect(seen).toEqual(looked.map(({ out }) => out));
    expect(written.map(({ rows }) => rows)).toEqual([[{ id: 7 }]]);
    expect([leftThen, runbook.left()]).toEqual([['Write'], []]);
  });

  it.each([
    ['a command that fails, and types nothing after it', ['false', 'echo on'], {}, /line 2: this block failed\nfalse/],
    ['a variable that nobody set', ['echo $NOBODY'], {}, /NOBODY: unbound variable/],
    ['a failure inside a pipe', ['false | cat'], {}, /exit code 1/],
    ['a variable that the test left open', ['A=x  # fill in: what'], {}, /A is to be filled in/],
    ['a value that nothing asks for', ['A=x'], { A: 'y' }, /nothing asks for A here/],
  ])('refuses %s', async (_, lines, fill, problem) => {
    const runbook = await open(['# P', '~~~bash', ...lines, '~~~']);
    const outcome = runbook.run('P', { fill });
    await expect(outcome).rejects.toThrow(problem);
    await expect(outcome).rejects.not.toThrow(/^on$/m);
  });

  it('ends a block that takes too long, with whatever hangs below it', async () => {
    const runbook = await open(['# P', '~~~bash', 'echo begun', 'bash -c "sleep 600; true"', '~~~'], {
      longestBlockMs: 300,
    });
    await expect(runbook.run('P')).rejects.toThrow(/exit code null\nbegun\n\n\(ended after 0.3 s\)/);
  });

  it('wants what the page says to be seen, the sections in their order, and stand-ins that stand for something', async () => {
    const lines = ['# A', '~~~bash', 'echo one', '~~~', '~~~text', 'two', '~~~', '# B', '~~~bash', 'true', '~~~'];
    const runbook = await open(lines);

    await expect(runbook.run('B')).rejects.toThrow('"B" is not the next section with blocks, "A" is');
    await expect(runbook.run('A')).rejects.toThrow(/to be seen, in this order: "two". It printed:\none/);
    await expect(open(lines, { standIns: { 'echo three': 'true' } })).rejects.toThrow('no block says "echo three"');
    const stoodIn = await open(lines, { standIns: { 'echo one': 'echo two' } });
    expect((await stoodIn.run('A')).map(({ out }) => out)).toEqual(['two\n']);
  });
});
