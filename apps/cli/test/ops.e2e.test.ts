/** The operator CLI as a real process, while the API is down: the relay and a worker are all that runs. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { keepDeadTask } from '@omnizap/catalog';
import { startFleet, testDatabaseKinds, waitFor } from '@omnizap/testkit';
import type { Fleet } from '@omnizap/testkit';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { v7 as uuidv7 } from 'uuid';
import { runOps, type Run } from './run-ops.ts';

type LetterJson = {
  id: number;
  source: string;
  type: string;
  subject_id: string;
  error: string;
  event_id: number | null;
};
type ListJson = { data: LetterJson[]; next_cursors: Record<string, string | null> };

describe('npm run ops, as a process', () => {
  it('ends with code 2 when it is typed wrongly, and with 0 after its help', async () => {
    const [wrong, help, table] = await Promise.all([
      runOps({}, 'dlq', 'redrive', 'outbox:1'),
      runOps({}, '--help'),
      runOps({}, '--help', '--json'),
    ]);

    expect([wrong.code, wrong.out]).toEqual([2, '']);
    expect(wrong.err).toContain('There is no terminal to ask on: look with --preview, then say --yes.');
    expect([help.code, help.err]).toEqual([0, '']);
    expect(help.out).toContain('Usage: npm run ops -- <group> <command>');
    expect(table.json()).toMatchObject({
      groups: expect.arrayContaining([expect.objectContaining({ name: 'dlq' })]) as object,
    });
  });
});

describe('npm run ops without a database', () => {
  it.each([
    ['postgres://127.0.0.1:9/none', /does not answer/],
    ['mysql://somebody:secret@127.0.0.1:9/none', /does not answer/],
  ])('says so in one line and ends with code 1: %s', async (url, message) => {
    const run = await runOps({ DATABASE_URL: url, QUEUE_DATABASE_URL: 'postgres://127.0.0.1:9/none' }, 'dlq', 'list');

    expect([run.code, run.out]).toEqual([1, '']);
    expect(run.err).toMatch(message);
    expect(run.err.trimEnd().split('\n')).toHaveLength(1);
    expect(run.err).not.toContain('secret');
  });

  it('says what to set when it was told of none', async () => {
    const run = await runOps({ STICKER_DATA_DIR: '/nowhere' }, 'dlq', 'list');

    expect([run.code, run.out]).toEqual([2, '']);
    expect(run.err).toContain('set DATABASE_URL');
  });
});

describe.each(testDatabaseKinds())('npm run ops on %s, without an API', (kind) => {
  let fleet: Fleet;
  let env: Record<string, string>;

  beforeAll(async () => {
    fleet = await startFleet(kind, { processes: ['relay', 'worker-rebuild'] });
    env = fleet.env;
  }, 180_000);
  beforeEach(async () => {
    for (const table of [
      'domain_event_outbox',
      'domain_event_outbox_dlq',
      'sticker_worker_task_dlq',
      'dead_letter_history',
      'admin_action_audit',
      'work_state',
    ])
      await fleet.database.knex(table).delete();
  });
  afterAll(async () => await fleet?.stop(), 60_000);

  const ops = (...args: string[]): Promise<Run> => runOps(env, ...args);
  const listed = async (...args: string[]): Promise<ListJson> => (await ops('dlq', 'list', '--json', ...args)).json();

  async function killTask(
    subjectId: string,
    error = 'Error: the disk is full\n    at write (a.ts:1:2)',
  ): Promise<void> {
    await fleet.database.knex('work_state').insert({ task_type: 'rebuild', subject_id: subjectId });
    const payload = { subject_id: subjectId };
    await keepDeadTask(fleet.database, { id: uuidv7(), taskType: 'rebuild', subjectId, attempts: 9, error, payload });
  }

  /** An event that no relay can make sense of, at its last attempt; resolves when it is a dead letter. */
  async function poison(): Promise<LetterJson> {
    await fleet.database.knex('domain_event_outbox').insert({
      event_type: 'PACK_UPDATED',
      aggregate_type: 'sticker_pack',
      aggregate_id: uuidv7(),
      payload: '{"pack_id":7}',
      max_attempts: 1,
      shard: 3,
    });
    return waitFor(async () => (await listed('--source', 'outbox')).data[0], { timeoutMs: 30_000 });
  }

  it('lists, groups and shows what failed for good', async () => {
    const event = await poison();
    for (let index = 0; index < 3; index += 1)
      await killTask(`gone-${index}`, `Error: disk ${index} is full\n    at write`);

    const [table, groups, page] = await Promise.all([
      ops('dlq', 'list'),
      ops('dlq', 'list', '--groups', '--json'),
      listed('--source', 'tasks', '--limit', '2', '--failed-after', '1h'),
    ]);
    const rest = await listed('--source', 'tasks', '--cursor', page.next_cursors.tasks ?? '');
    const task = page.data[0]?.id;
    const shown = await ops('dlq', 'show', `tasks:${task}`);

    expect([table.code, table.err]).toEqual([0, '']);
    expect(table.out.split('\n')[0]).toMatch(/^ID +TYPE +SUBJECT +TRIES +FAILED +ERROR$/);
    expect(table.out).toMatch(new RegExp(`^outbox:${event.id} +PACK_UPDATED .* s ago +AppError: Event \\d+`, 'm'));
    expect(groups.json()).toMatchObject({
      data: [
        { source: 'outbox', count: 1 },
        { source: 'tasks', count: 3, error: 'Error: disk … is full', contains: 'Error: disk' },
      ],
    });
    expect([...page.data, ...rest.data].map(({ subject_id }) => subject_id)).toEqual(['gone-2', 'gone-1', 'gone-0']);
    expect(rest.next_cursors).toEqual({ tasks: null });
    for (const part of [`tasks:${task}`, 'gone-2', '"subject_id": "gone-2"', '    at write'])
      expect(shown.out).toContain(part);
  });

  it('redrives an event, which dies again with its history, and then discards it', async () => {
    const first = await poison();

    const redriven = await ops('dlq', 'redrive', `outbox:${first.id}`, '--yes', '--json', '--reason', 'one more try');
    const again = await waitFor(
      async () => (await listed('--source', 'outbox')).data.find(({ id }) => id !== first.id),
      { timeoutMs: 30_000 },
    );
    const shown = await ops('dlq', 'show', String(again.id), '--source', 'outbox');
    const discarded = await ops(
      'dlq',
      'discard',
      `outbox:${again.id}`,
      `outbox:${first.id}`,
      '--yes',
      '--reason',
      'broken',
      '--actor',
      'ann',
    );
    const gone = await ops('outbox', 'show', String(first.event_id));

    expect([redriven.code, redriven.err]).toEqual([0, '']);
    expect(redriven.json()).toMatchObject({ data: [{ id: first.id, settlement: 'redriven' }], failed: [] });
    expect(shown.out).toMatch(new RegExp(`redriven +cli:${userInfo().username} +one more try`));
    expect([discarded.code, discarded.out]).toEqual([
      1,
      expect.stringContaining(`outbox:${again.id} discarded: PACK_UPDATED`),
    ]);
    expect(discarded.err).toContain(`There is no dead letter ${first.id} of outbox`);
    expect([gone.code, gone.err]).toEqual([1, expect.stringContaining('it was discarded by cli:ann')]);
    expect(await fleet.database.knex('admin_action_audit').orderBy('id').select('actor', 'action', 'reason')).toEqual([
      { actor: `cli:${userInfo().username}`, action: 'dead_letter_redriven', reason: 'one more try' },
      { actor: 'cli:ann', action: 'dead_letter_discarded', reason: 'broken' },
    ]);
  });

  it('redrives by filter after a preview, and the worker does the work', async () => {
    for (let index = 0; index < 8; index += 1)
      await killTask(uuidv7(), `Error: ${index < 5 ? 'disk' : 'network'} ${index}`);
    const filter = ['--source', 'tasks', '--error-contains', 'disk'];

    const preview = await ops('dlq', 'redrive', ...filter, '--preview');
    const left = await listed('--source', 'tasks');
    const done = await ops('dlq', 'redrive', ...filter, '--yes', '--rate', '100', '--json');

    expect([preview.code, preview.err]).toEqual([0, '']);
    expect(preview.out).toContain('5 x rebuild: Error: disk …');
    expect(preview.out).toContain('5 would be redriven, 0 left.');
    expect(left.data).toHaveLength(8);
    expect(done.code).toBe(0);
    expect(done.json()).toMatchObject({ data: { source: 'tasks', preview: false, matched: 5, redriven: 5, left: 0 } });
    // There are no such packs: nothing is left to do for them.
    await waitFor(
      async () =>
        (await fleet.database.knex('work_state').whereRaw('done_version = wanted_version').pluck('subject_id'))
          .length === 5,
      { timeoutMs: 30_000 },
    );
  });

  it('counts what is in the outbox and in the queues', async () => {
    await killTask('gone');
    await fleet.database.knex('work_state').insert({ task_type: 'curation', subject_id: 'love' });

    const [outbox, queues, table] = await Promise.all([
      ops('outbox', 'stats', '--json'),
      ops('queues', 'stats', '--json'),
      ops('queues', 'stats'),
    ]);

    expect(outbox.json()).toEqual({ data: { pending: 0, processing: 0, failed: 0, dlq: 0, oldest_seconds: 0 } });
    expect(queues.json()).toMatchObject({
      due: expect.arrayContaining([{ task_type: 'curation', subjects: 1 }]) as object,
    });
    expect(table.out).toMatch(/^curation +1$/m);
    for (const run of [outbox, queues, table]) expect([run.code, run.err]).toEqual([0, '']);
  });

  it('shows an event that is still in the outbox', async () => {
    await fleet.database.knex('domain_event_outbox').insert({
      event_type: 'PACK_UPDATED',
      aggregate_type: 'sticker_pack',
      aggregate_id: 'pack',
      payload: '{"pack_id":"pack"}',
      status: 'completed',
      shard: 3,
    });
    const { id } = await fleet.database.knex('domain_event_outbox').first<{ id: number }>('id');

    const [text, json] = await Promise.all([
      ops('outbox', 'show', String(id)),
      ops('outbox', 'show', String(id), '--json'),
    ]);

    expect(text.out).toMatch(/^status +completed$/m);
    expect(json.json()).toMatchObject({ data: { id, status: 'completed', payload: { pack_id: 'pack' }, history: [] } });
  });

  it('works with the queues away: the redrive is made, and it says who will find it', async () => {
    await killTask('gone');
    const [letter] = (await listed('--source', 'tasks')).data;

    const run = await runOps(
      { ...env, QUEUE_DATABASE_URL: 'postgres://127.0.0.1:9/none' },
      ...['dlq', 'redrive', `tasks:${letter?.id}`, '--yes'],
    );

    expect([run.code, run.out]).toEqual([0, `tasks:${letter?.id} redriven: rebuild gone\n`]);
    expect(run.err).toContain('the next sweep finds them');
    expect(await fleet.database.knex('work_state').where({ is_due: 1 }).pluck('subject_id')).toEqual(['gone']);
  });

  it('says what is kept how long, takes away what is due after being told so, and puts an archive back', async () => {
    const archiveDir = await mkdtemp(path.join(tmpdir(), 'omnizap ops '));
    const retention = (...args: string[]): Promise<Run> =>
      runOps({ ...env, ARCHIVE_DIR: archiveDir }, 'retention', ...args);
    const settled = (days: number) => ({
      ...{ source: 'tasks', origin: `rebuild:pack-${days}`, item_id: 'task', dead_letter: '{}' },
      ...{ settlement: 'discarded', settled_by: 'somebody', settled_at: new Date(Date.now() - days * 86_400_000) },
    });
    await fleet.database.knex('dead_letter_history').insert([settled(400), settled(10)]);
    type StatusJson = {
      data: { policy: string; keep_days: number | null; due_rows: number | null; last_archive: string }[];
    };

    const table = await retention('status');
    const before = (await retention('status', '--json')).json<StatusJson>();
    const run = await retention('run', 'settled-dead-letters', '--yes');
    const { last_archive: manifest = '' } =
      (await retention('status', '--json'))
        .json<StatusJson>()
        .data.find(({ policy }) => policy === 'settled-dead-letters') ?? {};
    const left: string[] = await fleet.database.knex('dead_letter_history').pluck<string[]>('origin');
    const restored = await retention('restore', manifest, '--yes', '--json');
    await rm(archiveDir, { recursive: true });

    expect(table.out.split('\n')[0]).toMatch(/^POLICY +KEPT +THEN +OLDEST +DUE +LAST RUN +REMOVED +TABLE$/);
    expect(table.out).toMatch(/^audit +for ever +keep /m);
    expect(before.data).toContainEqual(
      expect.objectContaining({ policy: 'settled-dead-letters', keep_days: 365, due_rows: 1 }),
    );
    expect([run.code, run.out]).toEqual([
      0,
      expect.stringContaining('settled-dead-letters: removed 1 rows, archived in '),
    ]);
    expect(left).toEqual(['rebuild:pack-10']);
    expect(restored.json()).toEqual({ data: { table: 'dead_letter_history', inserted: 1, present: 0 } });
    expect((await retention('run', 'nothing', '--yes')).err).toContain('No retention policy "nothing"');
    expect((await retention('restore', 'nowhere.manifest.json', '--yes')).code).toBe(1);
  });

  it('verifies what runs: those who are there are ready, those who are not are named', async () => {
    type Verified = {
      data: { processes: { process: string; state: string; version: string }[]; findings: { process: string }[] };
    };
    const run = await ops('release', 'verify', '--timeout', '0', '--json');
    const { processes, findings } = run.json<Verified>().data;
    const [{ version = '' } = {}] = processes;
    const other = await ops('release', 'verify', '--timeout', '0', '--expect-version', `${version}x`);

    expect(run.code).toBe(1);
    expect(processes.map(({ process, state }) => [process, state])).toEqual([
      ['relay', 'ready'],
      ['worker-rebuild', 'ready'],
    ]);
    expect(findings.map(({ process }) => process)).toEqual([
      'api',
      'worker-classification',
      'worker-curation',
      'maintenance',
    ]);
    expect(other.out).toMatch(
      new RegExp(`^relay: pid \\d+ runs ${version.replaceAll('.', '\\.').replace('+', '\\+')}, not .*x$`, 'm'),
    );
    expect(other.out).toMatch(/^stable is NOT as it should be: 6 findings/m);
  });

  it('takes every command of the page of symptoms as it stands there', async () => {
    const page = path.join(import.meta.dirname, '../../../runbooks/troubleshooting.md');
    const lines = [...(await readFile(page, 'utf8')).matchAll(/npm run ops -- ([a-z][^`\n]*)/g)]
      .map(([, line = '']) => line.replace('<event id>', '1'))
      .filter((line) => !line.includes('|'));
    expect(lines.length).toBeGreaterThan(1);

    for (const line of new Set(lines)) {
      const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? '');
      const isSettling = ['redrive', 'discard'].includes(words[1] ?? '') && !words.includes('--preview');
      const run = await ops(...words, ...(isSettling ? ['--yes'] : []));
      // What they name may not be there, and of this fleet much is missing; how they are typed must be right.
      const isAnswer = /There is no|is not in the outbox/.test(run.err) || (words[0] === 'doctor' && run.err === '');
      expect([line, run.code === 0 || (run.code === 1 && isAnswer)]).toEqual([line, true]);
    }
  });

  it('wants the schema first', async () => {
    await fleet.database.knex('schema_migration').where('name', 'like', '%dead_letters%').update({ name: 'aside' });

    const run = await ops('dlq', 'list');

    await fleet.database
      .knex('schema_migration')
      .where({ name: 'aside' })
      .update({ name: '20261125000100_dead_letters.ts' });
    expect([run.code, run.out]).toEqual([1, '']);
    expect(run.err).toMatch(/1 migrations are missing: run "npm run db:migrate" first/);
  });
});
