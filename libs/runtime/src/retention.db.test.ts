import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestDatabase, spawnProcess, testDatabaseKinds, waitFor, type TestDatabase } from '@omnizap/testkit';
import { createHash } from 'node:crypto';
import { mkdtemp, mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { connectDatabase, rowsOf, type Database } from './database.ts';
import { createLogger } from './log.ts';
import { createMetrics } from './metrics.ts';
import { createRetention, type Retention } from './retention.ts';
import type { KeptForDays } from './retention-policy.ts';
import { migrateUp } from './schema.ts';
import { createTables } from './table-ddl.ts';

const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
const dayMs = 86_400_000;
const never = new AbortController().signal;
const daysAgo = (days: number): Date => new Date(Date.now() - days * dayMs);
const policy: KeptForDays = { name: 'kept', table: 'kept', keep: { days: 10 }, action: 'drop', reason: 'A test.' };

describe.each(testDatabaseKinds())('retention on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;
  let archiveDir: string;

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl, { poolMax: 6 });
    await migrateUp(database);
    await createTables(database.knex, [
      {
        name: 'kept',
        columns: {
          id: { type: 'serial' },
          status: { type: 'ascii(12)', default: "'done'" },
          settled_at: { type: 'instant', nullable: true },
          note: { type: 'text', nullable: true },
          created_at: { type: 'instant', default: 'now' },
        },
        primaryKey: ['id'],
      },
    ]);
  });
  beforeEach(async () => {
    archiveDir = await mkdtemp(path.join(tmpdir(), 'retention-'));
    await database.knex('kept').delete();
    await database.knex('retention_run').delete();
  });
  afterEach(() => rm(archiveDir, { recursive: true, force: true }));
  afterAll(async () => {
    await database.close();
    await test.drop();
  });

  const retentionOf = (
    changes: Partial<KeptForDays> = {},
    options: Partial<Parameters<typeof createRetention>[1]> = {},
  ): Retention => createRetention({ database, log }, { policies: [{ ...policy, ...changes }], archiveDir, ...options });

  /** Rows that are that many days old, oldest first. Returns their ids. */
  async function addRows(ages: number[], fields: Record<string, unknown> = {}): Promise<number[]> {
    for (let start = 0; start < ages.length; start += 1_000)
      await database
        .knex('kept')
        .insert(
          ages.slice(start, start + 1_000).map((age) => ({ created_at: daysAgo(age), note: `${age}`, ...fields })),
        );
    return (await idsLeft()).slice(-ages.length);
  }
  const idsLeft = (): Promise<number[]> => database.knex('kept').orderBy('id').pluck('id');

  type Archive = { manifest: Record<string, unknown> & { rows: number; file: string }; rows: { id: number }[] };
  async function readArchives(): Promise<Archive[]> {
    const folder = path.join(archiveDir, 'kept');
    const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.manifest.json'));
    return Promise.all(
      names.toSorted().map(async (name) => {
        const manifest = JSON.parse(await readFile(path.join(folder, name), 'utf8')) as Archive['manifest'];
        const text = gunzipSync(await readFile(path.join(folder, manifest.file))).toString();
        const lines = text.trimEnd().split('\n');
        return { manifest, rows: lines.map((line) => JSON.parse(line) as { id: number }) };
      }),
    );
  }

  it('removes what is older than its days by the database clock, and nothing younger', async () => {
    const [, , third, fourth] = await addRows([30, 10.01, 9.99, 0]);

    const [run] = await retentionOf().run();

    expect(run).toEqual({ policy: 'kept', removed: 2, archives: [], isFinished: true });
    expect(await idsLeft()).toEqual([third, fourth]);
    expect(await readdir(archiveDir)).toEqual([]);
  });

  it('leaves rows that do not fulfil the condition or have not aged by their own column, and goes on behind them', async () => {
    const condition = { condition: "status = 'done'", ageColumn: 'settled_at' };
    const [waiting] = await addRows([40], { status: 'waiting', settled_at: daysAgo(40) });
    const [settledLate] = await addRows([40], { settled_at: daysAgo(1) });
    const [neverSettled] = await addRows([40]);
    await addRows([39, 38], { settled_at: daysAgo(20) });

    const [run] = await retentionOf(condition).run();

    expect(run?.removed).toBe(2);
    expect(await idsLeft()).toEqual([waiting, settledLate, neverSettled]);
  });

  it('does a bounded piece per pass, says that more is waiting, and passes rows that stay once per run', async () => {
    await addRows(
      Array.from({ length: 2_500 }, () => 20),
      { status: 'waiting' },
    );
    await addRows(Array.from({ length: 2_600 }, () => 15));
    await addRows([0]);
    const retention = retentionOf({ condition: "status = 'done'" }, { limits: { rows: 1_000, milliseconds: 60_000 } });

    const left: number[] = [];
    const walked = await countQueries(async () => {
      while (await retention.pass(never)) left.push((await idsLeft()).length);
    }, /walked_id/);

    expect(left).toEqual([5_101, 5_101, 4_601, 3_601, 2_601]);
    expect((await idsLeft()).length).toBe(2_501);
    // 5,101 rows in steps of 1,000: nothing was looked at twice.
    expect(walked).toBe(6);
    expect(await retention.pass(never)).toBe(false);
  });

  async function countQueries(work: () => Promise<void>, pattern: RegExp): Promise<number> {
    let count = 0;
    const listen = ({ sql }: { sql: string }): void => void (pattern.test(sql) && (count += 1));
    database.knex.on('query', listen);
    await work();
    database.knex.removeListener('query', listen);
    return count;
  }

  it('lets every policy have its turn while one has a long way to go', async () => {
    await addRows([20], { status: 'b' });
    await addRows(
      Array.from({ length: 6_000 }, () => 20),
      { status: 'a' },
    );
    const policies = ['a', 'b'].map((status) => ({ ...policy, name: status, condition: `status = '${status}'` }));
    const retention = retentionOf({}, { policies, limits: { rows: 1_000, milliseconds: 60_000 } });

    await retention.pass(never);
    await retention.pass(never);

    expect(await database.knex('kept').where({ status: 'b' }).pluck('id')).toEqual([]);
    expect((await idsLeft()).length).toBe(5_001);
  });

  it('archives in the order of the ids, however many digits they have', async () => {
    const ids = await addRows(Array.from({ length: 12_000 }, (_, index) => 60 - index / 1_000));

    await retentionOf({ action: 'archive' }, { limits: { rows: 5_000, milliseconds: 60_000 } }).run();

    const archives = await readArchives();
    expect(archives.map(({ rows }) => rows.length)).toEqual([5_000, 5_000, 2_000]);
    expect(archives.flatMap(({ rows }) => rows.map(({ id }) => id))).toEqual(ids);
  });

  it('archives rows before it removes them, beside a manifest that says what is in the file', async () => {
    const ids = await addRows([30, 20, 15]);
    await addRows([1]);

    const [run] = await retentionOf({ action: 'archive' }).run();

    const [archive] = await readArchives();
    expect(run).toMatchObject({ removed: 3, isFinished: true });
    expect(run?.archives).toEqual([
      expect.stringMatching(/^kept\/\d{12}-\d{12}-\d{8}T\d{6}Z-[0-9a-f]{6}\.manifest\.json$/),
    ]);
    const file = await readFile(path.join(archiveDir, 'kept', archive?.manifest.file ?? ''));
    expect(archive?.manifest).toMatchObject({
      format: 'omnizap-archive',
      format_version: 1,
      policy: 'kept',
      table: 'kept',
      rows: 3,
      sha256: createHash('sha256').update(file).digest('hex'),
      size_bytes: file.length,
      key: 'id',
      first_id: ids[0],
      last_id: ids[2],
    });
    expect(archive?.manifest.columns).toEqual([
      { name: 'id', type: 'integer' },
      { name: 'status', type: 'text' },
      { name: 'settled_at', type: 'instant' },
      { name: 'note', type: 'text' },
      { name: 'created_at', type: 'instant' },
    ]);
    expect(archive?.rows.map(({ id }) => id)).toEqual(ids);
    expect((await stat(path.join(archiveDir, 'kept', archive?.manifest.file ?? ''))).mode & 0o777).toBe(0o600);
    expect((await idsLeft()).length).toBe(1);
    // An empty run makes no empty archive.
    await retentionOf({ action: 'archive' }).run();
    expect(await readArchives()).toHaveLength(1);
  });

  it('removes nothing when the archive cannot be written, says so, and cleans up', async () => {
    await addRows([30, 20]);
    await writeFile(path.join(archiveDir, 'kept'), 'in the way of the folder');
    const retention = retentionOf({ action: 'archive' });

    await expect(retention.pass(never)).rejects.toThrow();

    expect((await idsLeft()).length).toBe(2);
    const [status] = await retention.status();
    expect(status).toMatchObject({ finishedAt: null, removedRows: 0, lastError: expect.stringContaining('kept') });
    // It waits before it tries again; a run that an operator asks for does not.
    expect(await retention.pass(never)).toBe(false);
    await rm(path.join(archiveDir, 'kept'));
    expect(await retention.run('kept')).toMatchObject([{ removed: 2, isFinished: true }]);
    expect(await retention.status()).toMatchObject([{ removedRows: 2, lastError: null, failedAt: null }]);
  });

  it('leaves rows that somebody holds, or that changed after they were archived, to a later run', async () => {
    const ids = await addRows(Array.from({ length: 1_500 }, () => 20));
    const [held = 0, changed = 0] = [ids[0], ids[1_200]];
    const holder = await database.knex.transaction();
    await holder('kept').where({ id: held }).update({ note: 'held' });
    const retention = retentionOf({
      action: 'archive',
      condition: "status = 'done'",
      // While the first thousand go, one of the second thousand, archived by now, is wanted again.
      beforeDelete: async (_trx, [first]) => {
        if (first === ids[1]) await database.knex('kept').where({ id: changed }).update({ status: 'again' });
      },
      afterRestore: async () => undefined,
    });

    const [run] = await retention.run();
    await holder.commit();

    expect(run?.removed).toBe(1_498);
    expect(await idsLeft()).toEqual([held, changed]);
    expect((await readArchives())[0]?.rows.map(({ id }) => id)).toEqual(ids);
    expect(await retention.run()).toMatchObject([{ removed: 1 }]);
  });

  it('stops where it is when it may no longer run or is told to stop', async () => {
    await addRows(Array.from({ length: 5_000 }, () => 20));
    let allowed = 6;
    const fenced = retentionOf({}, { mayRun: () => (allowed -= 1) > 0 });

    const [run] = await fenced.run();
    expect(run?.isFinished).toBe(false);
    expect(run?.removed).toBeGreaterThan(0);
    expect((await idsLeft()).length).toBe(5_000 - (run?.removed ?? 0));

    const stopped = new AbortController();
    stopped.abort();
    expect(await retentionOf().run(undefined, { signal: stopped.signal })).toMatchObject([{ removed: 0 }]);
    expect(await retentionOf().pass(stopped.signal)).toBe(false);
    expect(await retentionOf({}, { mayRun: () => false }).pass(never)).toBe(false);
    expect((await retentionOf().status())[0]).toMatchObject({ finishedAt: null });
  });

  it('removes each row once when two leaders do it at the same time', async () => {
    await addRows(Array.from({ length: 6_000 }, (_, index) => 40 - index / 1_000));
    await database.knex.raw('CREATE TABLE IF NOT EXISTS counted (n bigint NOT NULL)');
    await database.knex('counted').delete();
    await database.knex('counted').insert({ n: 0 });
    const counting: Partial<KeptForDays> = {
      action: 'archive',
      beforeDelete: async (trx, ids) => void (await trx('counted').update({ n: trx.raw('n + ?', [ids.length]) })),
      afterRestore: async () => undefined,
    };

    const runs = await Promise.all(
      [1, 2, 3].map(() => retentionOf(counting, { limits: { rows: 2_000, milliseconds: 60_000 } }).run()),
    );

    expect(runs.flat().reduce((sum, { removed }) => sum + removed, 0)).toBe(6_000);
    expect(await database.knex('counted').pluck('n')).toEqual([6_000]);
    expect(await idsLeft()).toEqual([]);
    expect((await retentionOf().status())[0]?.removedRows).toBe(6_000);
  });

  it('keeps row and hook together: when the hook fails the rows stay', async () => {
    const ids = await addRows([30, 20]);
    const failing = retentionOf({
      beforeDelete: async (trx) => {
        await trx('kept').update({ note: 'seen' });
        throw new Error('the hook failed');
      },
    });

    await expect(failing.run()).rejects.toThrow('the hook failed');

    expect(await idsLeft()).toEqual(ids);
    expect(await database.knex('kept').where({ note: 'seen' }).pluck('id')).toEqual([]);
  });

  it('archives once a day and not with every look, whoever led before', async () => {
    await addRows([30]);
    const first = retentionOf({ action: 'archive' });
    await first.pass(never);
    await addRows([30]);

    expect(await first.pass(never)).toBe(false);
    expect(await retentionOf({ action: 'archive' }).pass(never)).toBe(false);
    expect((await idsLeft()).length).toBe(1);

    await database.knex('retention_run').update({ finished_at: daysAgo(1.01) });
    await retentionOf({ action: 'archive' }).pass(never);
    expect((await idsLeft()).length).toBe(0);
  });

  it('tells an operator what is kept, how old the oldest is, how much is due and what was done', async () => {
    await addRows([30, 20, 1]);
    const metrics = createMetrics({ version: '1', release: 'stable', process: 'test' });
    const retention = createRetention(
      { database, log, metrics },
      {
        policies: [policy, { name: 'eternal', table: 'kept', keep: 'for-ever', reason: 'Never forgotten.' }],
        archiveDir,
      },
    );

    const [before, eternal] = await retention.status();
    expect(before).toMatchObject({ policy: 'kept', keepDays: 10, action: 'drop', due: { rows: 2, isAtLeast: false } });
    expect(before?.oldestSeconds).toBeCloseTo(30 * 86_400, -2);
    expect(eternal).toMatchObject({ keepDays: 'for-ever', action: 'keep', due: null, finishedAt: null });

    await retention.run();

    const [after] = await retention.status();
    expect(after).toMatchObject({ due: { rows: 0, isAtLeast: false }, removedRows: 2, lastError: null });
    expect(Math.abs(Date.now() - (after?.finishedAt?.getTime() ?? 0))).toBeLessThan(60_000);
    const text = await metrics.registry.metrics();
    expect(text).toContain('omnizap_retention_removed_rows_total{policy="kept"} 2');
    expect(text).toMatch(/omnizap_retention_last_success_timestamp_seconds\{policy="kept"\} 1\d{9}/);
    await expect(retention.run('eternal')).rejects.toMatchObject({ code: 'not-found' });
    await expect(retention.run('unknown')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('refuses policies that contradict themselves', () => {
    const policiesOf =
      (...changes: Partial<KeptForDays>[]) =>
      () =>
        retentionOf({}, { policies: changes.map((change) => ({ ...policy, ...change })) });

    expect(policiesOf({}, {})).toThrow('is there twice');
    expect(policiesOf({ name: '../elsewhere' })).toThrow('needs a name');
    expect(policiesOf({ keep: { days: 0 } })).toThrow('whole number of days');
    expect(policiesOf({ action: 'archive', beforeDelete: async () => undefined })).toThrow('undo');
  });

  it('restores rows of a policy that it does not know into another table only', async () => {
    const [id] = await addRows([30]);
    const [run] = await retentionOf({ action: 'archive' }).run();
    const other = retentionOf({ name: 'another', action: 'archive' });

    await expect(other.restore(run?.archives[0] ?? '')).rejects.toMatchObject({ code: 'archive-invalid' });

    expect(await other.restore(run?.archives[0] ?? '', { into: 'kept_again' })).toMatchObject({ inserted: 1 });
    expect(await database.knex('kept_again').pluck('id')).toEqual([id]);
    expect(await idsLeft()).toEqual([]);
  });

  it('loses no row to kills at any moment: each is in its table or in a complete archive, and one restore brings all back', async () => {
    const ids = await addRows(Array.from({ length: 6_000 }, (_, index) => 60 - index / 1_000));
    const before = await tableContent();
    await mkdir(path.join(archiveDir, 'kept'));
    let kills = 0;
    while ((await idsLeft()).length > 0) {
      const running = await spawnProcess('libs/runtime/test/run-retention.ts', [test.databaseUrl, archiveDir]);
      let hasEnded = false;
      void running.exited.then(() => (hasEnded = true));
      // Some as soon as a file appears, some when rows begin to go: before the manifest, between manifest and delete, inside.
      const [files, rows] = [(await readdir(path.join(archiveDir, 'kept'))).length, (await idsLeft()).length];
      await waitFor(
        async () =>
          hasEnded ||
          (kills % 2 === 0
            ? (await readdir(path.join(archiveDir, 'kept'))).length > files + (kills % 3)
            : (await idsLeft()).length < rows),
        { intervalMs: 1, timeoutMs: 30_000 },
      );
      running.kill('SIGKILL');
      await running.exited;
      kills += 1;
      const archived = new Set((await readArchives()).flatMap(({ rows: kept }) => kept.map(({ id }) => id)));
      const left = new Set(await idsLeft());
      expect(ids.filter((id) => !archived.has(id) && !left.has(id))).toEqual([]);
    }
    expect(kills).toBeGreaterThan(3);

    const retention = retentionOf({ action: 'archive' });
    for (const { manifest } of await readArchives()) {
      const { inserted, present } = await retention.restore(
        path.join('kept', manifest.file.replace('.jsonl.gz', '.manifest.json')),
      );
      expect(inserted + present).toBe(manifest.rows);
    }
    expect(await tableContent()).toEqual(before);
  });

  const tableContent = async (): Promise<unknown[]> =>
    rowsOf(await database.knex.raw('SELECT * FROM kept ORDER BY id'));
});
