/** What the pages of alerts have to be looked at: every statement runs on the databases that it is for, every command is one that is understood there. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectDatabase, createLogger, migrateUp, type Database } from '@omnizap/runtime';
import { installTaskQueues } from '@omnizap/tasks';
import { taskSettings } from '@omnizap/catalog';
import { createTestDatabase, npmCommandsIn, testDatabaseKinds, type TestDatabase } from '@omnizap/testkit';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');
const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
const folder = path.join(root, 'runbooks/alerts');
const pages = readdirSync(folder).map((name) => ({ name, text: readFileSync(path.join(folder, name), 'utf8') }));

type Statement = { page: string; sql: string; only: string | undefined };

const fences = pages.flatMap(({ name, text }) =>
  [...text.matchAll(/^```(\w+)?(?: (\w+))?\n(.*?)^```$/gms)].map(([, language, only, body = '']) => ({
    page: name,
    language,
    only,
    body: body.trim(),
  })),
);
const statements: Statement[] = fences.map(({ page, only, body }) => ({ page, sql: body, only }));

/** What the budget decides is done by commands as well. */
const objectives = readFileSync(path.join(root, 'observability/sticker-catalog-slo.md'), 'utf8');
const commands = [...pages.map(({ text }) => text), objectives].flatMap(npmCommandsIn);
const typed = [...new Set(commands)].filter((command) => command.startsWith('npm run ops -- '));

it('pages of alerts have blocks of SQL only, for a database that we know', () => {
  expect(fences.length).toBeGreaterThan(5);
  expect(fences.filter(({ language }) => language !== 'sql')).toEqual([]);
  expect(fences.filter(({ only }) => only !== undefined && only !== 'postgres' && only !== 'mysql')).toEqual([]);
});

describe.each(testDatabaseKinds())('on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl);
    await migrateUp(database);
    await installTaskQueues(taskSettings, { queueUrl: test.queueUrl, log });
  });

  afterAll(async () => {
    await database.close();
    await test.drop();
  });

  it.each(statements.filter(({ only }) => only === undefined || only === kind))(
    '$page: the statement runs: $sql',
    async ({ sql }) => {
      const answer: unknown = await database.knex.raw(sql.replace(/;$/, ''));
      const rows = Array.isArray(answer) ? (answer[0] as unknown) : (answer as { rows: unknown }).rows;
      expect(Array.isArray(rows)).toBe(true);
    },
  );

  // Which commands there are does not depend on the database, and each is a process of its own.
  if (kind === 'postgres')
    it.each(typed)('%s is understood', async (command) => {
      const { code, out } = await run(wordsOf(command), {
        ...{ DATABASE_URL: test.databaseUrl, QUEUE_DATABASE_URL: test.queueUrl },
        ARCHIVE_DIR: path.join(tmpdir(), 'omnizap no archives'),
      });
      // 1: the doctor finds no processes here, nothing has such an id. 2: there is no bucket, or the command was typed wrongly.
      expect([0, 1, 2]).toContain(code);
      expect(out.length).toBeGreaterThan(0);
      // At a terminal it would ask.
      if (!out.includes('There is no terminal to ask on')) expect(out).not.toContain('More: npm run ops --');
    });
});

/** What a shell makes of it, behind `npm run ops --`, with what the reader fills in. */
function wordsOf(command: string): string[] {
  const filled = command.replaceAll(/<event id\b>?/g, '4711').replaceAll(/<id\b>?/g, 'outbox:12');
  const words = Array.from(filled.matchAll(/"([^"]*)"|\S+/g), ([word, quoted]) => quoted ?? word).slice(
    'npm run ops --'.split(' ').length,
  );
  // It waits for a fleet, and there is none.
  return words[0] === 'release' ? [...words, '--timeout', '1'] : words;
}

function run(args: string[], settings: Record<string, string>): Promise<{ code: number; out: string }> {
  const env = { ...process.env, ...settings };
  return new Promise((resolve) => {
    execFile(process.execPath, [path.join(root, 'apps/cli/main.ts'), ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, out: stdout + stderr });
    });
  });
}
