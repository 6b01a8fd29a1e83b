/** The doctor at a real fleet: content while it is well, and at each thing that is broken it names it and what mends it. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createTestDatabase, startFleet, testDatabaseKinds, waitFor, type Fleet } from '@omnizap/testkit';
import { runOps } from './run-ops.ts';

type Finding = { check: string; severity: string; text: string; command: string | null };
type Report = { worst: string; checks: { check: string; findings: Omit<Finding, 'check'>[] }[] };
type Looked = { code: number | null; findings: Finding[]; worse: Finding[]; printed: string };

const projectRoot = path.resolve(import.meta.dirname, '../../..');
const patience = { timeoutMs: 60_000, intervalMs: 500 };

async function look(env: Record<string, string>, ...args: string[]): Promise<Looked> {
  const run = await runOps(env, 'doctor', '--json', ...args);
  if (run.out === '') throw new Error(`The doctor said nothing: ${run.err}`);
  const { checks } = run.json<{ data: Report }>().data;
  const findings = checks.flatMap(({ check, findings: own }) => own.map((finding) => ({ ...finding, check })));
  return {
    code: run.code,
    findings,
    // How full the disk of whoever runs the tests is, is not the test's business.
    worse: findings.filter(
      ({ severity, text }) => ['warn', 'fail'].includes(severity) && !text.startsWith('The disk of'),
    ),
    printed: run.out + run.err,
  };
}

/** What it printed, typed into a shell in the project's folder, with npm's scripts as what they stand for. */
async function mend(env: Record<string, string>, command: string | null | undefined): Promise<void> {
  const node = `"${process.execPath}"`;
  const shellCommand = String(command)
    .replace('npm run ops --', `${node} apps/cli/main.ts`)
    .replace('npm run db:migrate', `${node} tools/migrate.ts up`);
  const child = spawn('sh', ['-c', shellCommand], {
    cwd: projectRoot,
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: 'ignore',
    timeout: 60_000,
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect([command, code]).toEqual([command, 0]);
}

describe.each(testDatabaseKinds())('the doctor on %s', (kind) => {
  let fleet: Fleet;
  let folder: string;

  beforeAll(async () => {
    fleet = await startFleet(kind);
    folder = await mkdtemp(path.join(tmpdir(), 'doctor-'));
  }, 120_000);
  afterAll(async () => {
    await fleet?.stop();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  /** Each test breaks one thing in a fleet that is well, and leaves it well. */
  const untilWell = async (): Promise<void> => {
    let last: Looked | undefined;
    await waitFor(async () => (last = await look(fleet.env)).worse.length === 0, {
      ...patience,
      description: 'a fleet that is well',
    }).catch((error: unknown) => {
      throw new Error(`The fleet is not well: ${JSON.stringify(last?.worse)}`, { cause: error });
    });
  };
  beforeAll(untilWell, 90_000);
  afterEach(untilWell, 90_000);

  it('finds nothing to do at a fleet that is well, and ends with 0', async () => {
    const { findings, worse, printed } = await look(
      fleet.env,
      '--only',
      'configuration,database,migrations,processes,flags,rollout,tasks,outbox,clocks',
    );

    expect(worse).toEqual([]);
    expect(findings.find(({ check }) => check === 'processes')).toMatchObject({ severity: 'ok' });
    expect((await runOps(fleet.env, 'doctor', '--only', 'database,flags', '--strict')).code).toBe(0);
    for (const url of [fleet.env.DATABASE_URL, fleet.env.QUEUE_DATABASE_URL])
      expect(printed).not.toContain(new URL(url ?? '').password);
    expect(printed).not.toContain(fleet.adminToken);
  });

  it('prints the command that resumes a paused type, and is content when it was typed', async () => {
    await runOps(fleet.env, 'queues', 'pause', 'rebuild', '--reason', 'database work');

    const { worse, code } = await look(fleet.env);
    expect([worse.length, code]).toEqual([1, 0]);
    expect(worse[0]).toMatchObject({
      check: 'tasks',
      severity: 'warn',
      text: expect.stringContaining('database work'),
    });
    expect((await runOps(fleet.env, 'doctor', '--only', 'tasks', '--strict')).code).toBe(1);

    await mend(fleet.env, worse[0]?.command);
  });

  it('finds a flag that says two things, and prints what makes it say one', async () => {
    await fleet.database
      .knex('feature_flag')
      .where({ flag_name: 'enable_worker_canary_release' })
      .update({ is_enabled: 1 });

    const { worse } = await look(fleet.env);
    expect(worse.map(({ text }) => text)).toEqual(['enable_worker_canary_release is enabled at 0 %, which is off.']);

    await mend(fleet.env, worse[0]?.command);
  });

  it('finds a flag that gives work to a canary that nobody started', async () => {
    await fleet.database
      .knex('feature_flag')
      .where({ flag_name: 'enable_worker_canary_release' })
      .update({ is_enabled: 1, rollout_percent: 10 });

    const { worse } = await look(fleet.env);
    expect(worse.map(({ text }) => text)).toEqual([
      expect.stringMatching(
        /^No live canary worker-classification .* on at 10 %: stable works classification, derivative/,
      ),
      expect.stringContaining('No live canary worker-curation'),
      expect.stringContaining('No live canary worker-rebuild'),
    ]);

    await mend(fleet.env, worse[0]?.command);
  });

  it('finds a row of no flag', async () => {
    await fleet.database.knex('feature_flag').insert({ flag_name: 'enable_domain_event_outbx' });

    const { worse } = await look(fleet.env);
    expect(worse).toMatchObject([{ check: 'flags', text: expect.stringContaining('"enable_domain_event_outbx"') }]);

    await fleet.database.knex('feature_flag').where({ flag_name: 'enable_domain_event_outbx' }).delete();
  });

  it('finds a missing migration, still looks at everything else, and prints what applies it', async () => {
    await fleet.database.knex('schema_migration').where({ name: '20261125000500_rollout.ts' }).delete();

    const { worse, code } = await look(fleet.env);
    expect(code).toBe(1);
    expect(worse).toMatchObject([{ check: 'migrations', severity: 'fail', command: 'npm run db:migrate' }]);

    await mend(fleet.env, worse[0]?.command);
  });

  it('finds that a newer release has migrated', async () => {
    const name = '20991231000000_of_tomorrow.ts';
    await fleet.database.knex('schema_migration').insert({ name, batch: 99, migration_time: new Date() });

    const { worse, code } = await look(fleet.env);
    expect([worse.map(({ check, severity }) => [check, severity]), code]).toEqual([[['migrations', 'warn']], 0]);
    expect(worse[0]?.text).toContain(name);

    await fleet.database.knex('schema_migration').where({ name }).delete();
  });

  it('finds what has failed for good', async () => {
    const dead = { attempts: 9, last_error: 'Error: broken', payload: '{}' };
    await fleet.database
      .knex('sticker_worker_task_dlq')
      .insert({ ...dead, task_id: '018f0000-0000-7000-8000-000000000001', task_type: 'rebuild', subject_id: 'p' });

    const { worse } = await look(fleet.env);
    expect(worse).toMatchObject([
      { check: 'tasks', severity: 'warn', text: expect.stringMatching(/^1 tasks have failed/) },
    ]);
    await mend(fleet.env, worse[0]?.command);

    const event = { event_type: 'PACK_UPDATED', aggregate_type: 'pack', aggregate_id: 'p', created_at: new Date() };
    await fleet.database
      .knex('domain_event_outbox_dlq')
      .insert({ ...dead, ...event, outbox_event_id: 1, failed_at: new Date(), max_attempts: 9, priority: 0 });
    const both = (await look(fleet.env)).worse;
    expect(both.map(({ check, severity }) => [check, severity])).toEqual([
      ['tasks', 'warn'],
      ['outbox', 'warn'],
    ]);
    await mend(fleet.env, both[1]?.command);

    for (const source of ['tasks', 'outbox']) {
      const discard = ['dlq', 'discard', '--source', source, '--all', '--yes', '--reason', 'made by a test'];
      expect((await runOps(fleet.env, ...discard)).code).toBe(0);
    }
  });

  it('finds that the relay was killed, and what starts one', async () => {
    await fleet.kill(fleet.process('relay'));

    let looked: Looked | undefined;
    await waitFor(async () => (looked = await look(fleet.env)).code === 1, {
      ...patience,
      description: 'the lease to run out',
    });
    const command = 'npm run pm2 -- start deploy/pm2/ecosystem.prod.config.cjs --only relay';
    expect(looked?.worse).toMatchObject([
      {
        check: 'processes',
        severity: 'fail',
        text: expect.stringContaining('No relay process is alive'),
        command,
      },
      {
        check: 'flags',
        severity: 'fail',
        text: expect.stringContaining('enable_domain_event_outbox is on'),
        command,
      },
    ]);
    expect(looked?.findings.find(({ text }) => /^relay \(pid \d+\) is gone/.test(text))).toMatchObject({
      severity: 'info',
    });

    await fleet.start('relay');
  });

  it('finds a process that hangs, and prints what ends it', async () => {
    const curation = fleet.process('worker-curation');
    curation.kill('SIGSTOP');

    let looked: Looked | undefined;
    await waitFor(
      async () =>
        (looked = await look(fleet.env, '--only', 'processes,flags')).worse.some(({ text }) => text.includes('hangs')),
      { ...patience, description: 'the lease to run out' },
    );
    expect(looked?.worse).toMatchObject([
      { check: 'processes', severity: 'warn', command: `kill -KILL ${curation.pid}` },
      {
        ...{ check: 'flags', severity: 'warn', text: expect.stringContaining('the API works curation in its place') },
        command: 'npm run pm2 -- start deploy/pm2/ecosystem.prod.config.cjs --only worker-curation',
      },
    ]);

    await mend(fleet.env, looked?.worse[0]?.command);
    await fleet.kill(curation);
    await fleet.start('worker-curation');
  });

  it('tells of a freeze and of a run, and warns of a run that nobody looks at any more', async () => {
    const why = ['--reason', 'made by a test'];
    expect((await runOps(fleet.env, 'rollout', 'auto', 'worker-canary', ...why)).code).toBe(0);
    expect((await runOps(fleet.env, 'rollout', 'freeze', '--hours', '1', ...why)).code).toBe(0);
    const told = await look(fleet.env, '--only', 'rollout');
    expect([told.code, told.findings.map(({ severity }) => severity)]).toEqual([0, ['info', 'info']]);
    expect(told.findings.map(({ text }) => text)).toEqual([
      expect.stringMatching(/^Rollouts are frozen by cli:\S+ until .*: made by a test$/),
      expect.stringMatching(/^Rollout run \d+ of worker-canary is active/),
    ]);

    await fleet.kill(fleet.process('maintenance'));
    const longAgo = new Date(Date.now() - 3_600_000);
    await fleet.database.knex('rollout_run').where({ active_slot: 1 }).update({ updated_at: longAgo });
    let looked: Looked | undefined;
    await waitFor(async () => (looked = await look(fleet.env)).code === 1, {
      ...patience,
      description: 'the lease to run out',
    });
    const command = 'npm run pm2 -- start deploy/pm2/ecosystem.prod.config.cjs --only maintenance';
    expect(looked?.worse).toMatchObject([
      { check: 'processes', severity: 'fail', text: expect.stringContaining('No maintenance process'), command },
      {
        check: 'rollout',
        severity: 'warn',
        text: expect.stringContaining('nobody has looked at it for 60 min'),
        command,
      },
    ]);

    await fleet.start('maintenance');
    expect((await runOps(fleet.env, 'rollout', 'unfreeze', ...why)).code).toBe(0);
    const rollback = ['rollout', 'rollback', 'enable_worker_canary_release', '--yes', ...why];
    expect((await runOps(fleet.env, ...rollback)).code).toBe(0);
  });

  it('finds a data directory that cannot be, and prints what makes one that is not there', async () => {
    const file = path.join(folder, 'a file');
    await writeFile(file, '');
    const inFile = await look({ ...fleet.env, STICKER_DATA_DIR: path.join(file, 'data') }, '--only', 'disk');
    expect([inFile.code, inFile.worse]).toMatchObject([
      1,
      [{ severity: 'fail', text: expect.stringContaining('cannot be reached') }],
    ]);
    expect((await look({ ...fleet.env, ARCHIVE_DIR: file }, '--only', 'disk')).worse).toMatchObject([
      { severity: 'fail', text: `ARCHIVE_DIR (${file}) is no directory.` },
    ]);

    const absent = { ...fleet.env, STICKER_DATA_DIR: path.join(folder, 'new data') };
    const { worse } = await look(absent, '--only', 'disk');
    expect(worse).toMatchObject([{ severity: 'warn', text: expect.stringContaining('is not there') }]);
    await mend(absent, worse[0]?.command);
    expect((await look(absent, '--only', 'disk')).worse).toEqual([]);
  });

  it('tells a refused account from a server that is away, prints no password, and leaves the rest unchecked', async () => {
    const wrong = new URL(fleet.env.DATABASE_URL ?? '');
    [wrong.username, wrong.password] = ['nobody', 'hidden-word'];
    const { worse, code, printed } = await look({ ...fleet.env, DATABASE_URL: wrong.href });

    expect(code).toBe(1);
    expect(worse.find(({ check }) => check === 'database')).toMatchObject({
      severity: 'fail',
      text: expect.stringContaining('refuses the account "nobody"'),
      command: expect.stringContaining('export DATABASE_URL='),
    });
    expect(worse.find(({ check }) => check === 'outbox')?.text).toBe(
      'not checked: the catalogue database does not answer',
    );
    expect(printed).not.toContain('hidden-word');

    const away = new URL(fleet.env.DATABASE_URL ?? '');
    away.port = '1';
    const gone = await look({ ...fleet.env, DATABASE_URL: away.href });
    expect(gone.worse.find(({ check }) => check === 'database')?.text).toContain('does not answer (ECONNREFUSED)');
    const queue = gone.findings.filter(({ check, severity }) => check === 'database' && severity === 'ok');
    expect(queue.map(({ text }) => text)).toEqual([expect.stringContaining('The queue database is PostgreSQL')]);
  });

  it('says of a database without any table what is to be done, and of the rest that it cannot be looked at', async () => {
    const database = await createTestDatabase(kind);
    try {
      const env = { ...fleet.env, DATABASE_URL: database.databaseUrl, QUEUE_DATABASE_URL: database.queueUrl };
      const { worse, code } = await look(env);
      expect(code).toBe(1);
      const of = (name: string): string[] => worse.filter(({ check }) => check === name).map(({ text }) => text);
      expect(of('migrations')).toEqual([
        expect.stringContaining('The catalogue lacks'),
        'The task queues are not installed in the queue database.',
      ]);
      for (const check of ['processes', 'flags', 'rollout', 'tasks', 'outbox'])
        expect(of(check)).toEqual(['not checked: the catalogue lacks a table or column that this release has']);
      await mend(env, worse.find(({ check }) => check === 'migrations')?.command);
      expect((await look(env, '--only', 'migrations,database')).worse).toEqual([]);
    } finally {
      await database.drop();
    }
  });

  it('finds the fleet of an npm start by its data directory, and speaks of npm instead of pm2', async () => {
    const lent = { database_url: fleet.env.DATABASE_URL, queue_database_url: fleet.env.QUEUE_DATABASE_URL };
    await writeFile(path.join(folder, 'runtime.json'), JSON.stringify(lent));
    const env = { STICKER_DATA_DIR: folder };
    expect((await look(env)).worse).toEqual([]);

    await writeFile(
      path.join(folder, 'runtime.json'),
      JSON.stringify({ ...lent, database_url: 'postgres://a:hidden-word@127.0.0.1:1/b' }),
    );
    const { worse, printed } = await look(env);
    expect(worse.find(({ check }) => check === 'database')).toMatchObject({ severity: 'fail', command: 'npm start' });
    expect(printed).not.toContain('hidden-word');
  });

  it('lists every mistake of the configuration, and still looks at all that it can', async () => {
    const mistakes = { PORT: 'hidden-word', LOG_LEVEL: 'hidden-word', ADMIN_TOKEN: 'hidden-word' };
    const { worse, findings, code, printed } = await look({ ...fleet.env, ...mistakes });

    expect(code).toBe(1);
    expect(worse.map(({ check, command }) => [check, command])).toEqual([
      ['configuration', 'unset PORT'],
      ['configuration', 'unset ADMIN_TOKEN'],
      ['configuration', 'unset LOG_LEVEL'],
    ]);
    expect(findings.find(({ check }) => check === 'flags')).toMatchObject({ severity: 'ok' });
    const plans = { ...fleet.env, ROLLOUT_PLANS_DIR: path.join(folder, 'plans') };
    expect((await look(plans, '--only', 'configuration')).worse).toMatchObject([
      { command: 'unset ROLLOUT_PLANS_DIR' },
    ]);
    expect(printed).not.toContain('hidden-word');
  });
});

describe('the doctor without a database', () => {
  it('says so in findings, and what comes of it', async () => {
    const { code, worse } = await look({ STICKER_DATA_DIR: tmpdir() });

    expect(code).toBe(1);
    expect(worse.filter(({ severity }) => severity === 'fail')).toMatchObject([
      { check: 'configuration', text: expect.stringContaining('No database: set DATABASE_URL') },
    ]);
  });

  it.each(['postgres', 'mysql'])(
    'is not held by a %s server that takes connections and says nothing',
    async (protocol) => {
      const sockets = new Set<Socket>();
      const server = createServer((socket) => void sockets.add(socket));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const url = `${protocol}://a:hidden-word@127.0.0.1:${(server.address() as AddressInfo).port}/b`;
      try {
        const env = {
          STICKER_DATA_DIR: tmpdir(),
          DATABASE_URL: url,
          QUEUE_DATABASE_URL: url.replace('mysql', 'postgres'),
        };
        const { code, worse, printed } = await look(env);
        expect(code).toBe(1);
        expect(worse.find(({ check }) => check === 'database')?.text).toContain('does not answer');
        expect(printed).not.toContain('hidden-word');
      } finally {
        for (const socket of sockets) socket.destroy();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  );
});
