/** What the pages of alerts have to be looked at: every statement runs on the databases that it is for, every command that only looks on a catalogue of today. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectDatabase, createLogger, migrateUp, type Database } from '@omnizap/runtime';
import { installTaskQueues } from '@omnizap/tasks';
import { taskSettings } from '@omnizap/catalog';
import { createTestDatabase, npmCommandsIn, testDatabaseKinds, type TestDatabase } from '@omnizap/testkit';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
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

/** Those that change nothing, and name nothing that only the reader knows. */
const looks = [...new Set(pages.flatMap(({ text }) => npmCommandsIn(text)))].filter(
  (command) =>
    /^npm run ops -- (?:\w+ (?:stats|list|get|history|status|show)|doctor)\b/.test(command) && !/[<…]/.test(command),
);

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
    it.each(looks)('%s looks, and says so', async (command) => {
      const words = command.split(/\s+/).slice('npm run ops --'.split(' ').length);
      const { code, out } = await run(words, { DATABASE_URL: test.databaseUrl, QUEUE_DATABASE_URL: test.queueUrl });
      // 1: the doctor finds no processes here. 2 would be a command that does not exist.
      expect([0, 1]).toContain(code);
      expect(out.length).toBeGreaterThan(0);
    });
});

function run(args: string[], settings: Record<string, string>): Promise<{ code: number; out: string }> {
  const env = { ...process.env, ...settings };
  return new Promise((resolve) => {
    execFile(process.execPath, [path.join(root, 'apps/cli/main.ts'), ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, out: stdout + stderr });
    });
  });
}
