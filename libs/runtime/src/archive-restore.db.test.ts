import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestDatabase, testDatabaseKinds, type TestDatabase } from '@omnizap/testkit';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { createHash } from 'node:crypto';
import { restoreArchive, verifyArchive } from './archive-restore.ts';
import { connectDatabase, rowsOf, type Database } from './database.ts';
import { createLogger } from './log.ts';
import { createRetention } from './retention.ts';
import type { KeptForDays } from './retention-policy.ts';
import { migrateUp } from './schema.ts';
import { createTables, type Table } from './table-ddl.ts';

const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
const table: Table = {
  name: 'everything',
  columns: {
    id: { type: 'serial' },
    owner: { type: 'uuid' },
    small: { type: 'smallint' },
    big: { type: 'bigint', nullable: true },
    ratio: { type: 'double', nullable: true },
    name: { type: 'varchar(200)' },
    code: { type: 'ascii(20)', nullable: true },
    digest: { type: 'sha256', nullable: true },
    document: { type: 'json', nullable: true },
    story: { type: 'text', nullable: true },
    picture: { type: 'bytes', nullable: true },
    seen_at: { type: 'instant', nullable: true },
    twice: { type: 'integer', generated: 'small * 2' },
    created_at: { type: 'instant', default: 'now' },
  },
  primaryKey: ['id'],
};
const policy: KeptForDays = {
  name: 'everything',
  table: 'everything',
  keep: { days: 10 },
  action: 'archive',
  reason: 'A test.',
};
const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
const rows = [
  { big: '9223372036854775807', ratio: 0.1 + 0.2, name: 'the largest', seen_at: '2026-01-01 00:00:00.001' },
  { big: '-9223372036854775808', ratio: 1 / 3, name: 'the smallest', seen_at: '1999-12-31 23:59:59.999' },
  { big: '9007199254740993', ratio: 1.7976931348623157e308, name: 'not a double', picture: bytes },
  { big: '0', ratio: 5e-324, name: "🎉 'quoted' \\ \u2028 line\nfeed", story: '\r\n\t"', picture: Buffer.alloc(0) },
  { big: null, ratio: null, name: '', code: 'null', document: '{"a":[1,null,{"b":"ü\\n"}],"n":12345678901234567890}' },
  { big: '5', ratio: -0.5, name: ' spaces ', digest: 'a'.repeat(64), document: '"text"' },
];

describe.each(testDatabaseKinds())('archives of %s', (kind) => {
  let test: TestDatabase;
  let database: Database;
  let folder: string;
  let manifestPath: string;
  let original: string;

  /** As the server prints them: what a driver might round is compared, too. */
  async function content(of: Database, name = 'everything'): Promise<string> {
    const text = (column: string): string => (of.kind === 'mysql' ? `CAST(${column} AS CHAR)` : `${column}::text`);
    const hex = of.kind === 'mysql' ? 'HEX(picture)' : "upper(encode(picture, 'hex'))";
    const columns = Object.keys(table.columns).filter((column) => column !== 'picture');
    const list = [...columns.map((column) => `${text(column)} AS ${column}`), `${hex} AS picture`].join(', ');
    return JSON.stringify(rowsOf(await of.knex.raw(`SELECT ${list} FROM ${name} ORDER BY id`)), null, 1);
  }

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl);
    await migrateUp(database);
    await createTables(database.knex, [table]);
    for (const [index, row] of rows.entries())
      await database.knex('everything').insert({
        owner: `00000000-0000-7000-8000-00000000000${index}`,
        small: index - 2,
        created_at: '2026-02-03 04:05:06.789',
        ...row,
      });
    original = await content(database);
    folder = await mkdtemp(path.join(tmpdir(), 'restore-'));
    const [run] = await createRetention({ database, log }, { policies: [policy], archiveDir: folder }).run();
    manifestPath = path.join(folder, run?.archives[0] ?? '');
  });
  beforeEach(() => database.knex('everything').delete());
  afterAll(async () => {
    await database.close();
    await test.drop();
    await rm(folder, { recursive: true, force: true });
  });

  it('bring every kind of value back as it was, generated columns and ids included', async () => {
    const result = await restoreArchive(database, manifestPath);

    expect(result).toMatchObject({ table: 'everything', inserted: rows.length, present: 0 });
    expect(await content(database)).toBe(original);
  });

  it('insert only the rows that are not there, and tell the hook of those alone', async () => {
    await restoreArchive(database, manifestPath);
    const [second = 0, , fourth = 0] = (await database.knex('everything').orderBy('id').pluck<number[]>('id')).slice(1);
    await database.knex('everything').whereIn('id', [second, fourth]).delete();
    await database.knex('everything').where({ name: 'the largest' }).update({ story: 'changed since' });
    const told: number[] = [];

    const result = await restoreArchive(database, manifestPath, {
      afterRestore: async (_trx, ids) => void told.push(...ids),
    });

    expect(result).toMatchObject({ inserted: 2, present: rows.length - 2 });
    expect(told).toEqual([second, fourth]);
    expect(
      await database.knex('everything').whereNotNull('story').where({ name: 'the largest' }).pluck('story'),
    ).toEqual(['changed since']);
    expect(await restoreArchive(database, manifestPath)).toMatchObject({ inserted: 0, present: rows.length });
  });

  it('can be read beside the table: in another one, without touching what counts', async () => {
    const into = await restoreArchive(database, manifestPath, {
      into: 'everything_restored',
      afterRestore: () => Promise.reject(new Error('not asked for')),
    });

    expect(into).toMatchObject({ table: 'everything_restored', inserted: rows.length });
    expect(await content(database, 'everything_restored')).toBe(original);
    expect(await database.knex('everything').pluck('id')).toEqual([]);
    expect(await restoreArchive(database, manifestPath, { into: 'everything_restored' })).toMatchObject({
      inserted: 0,
    });
    await database.knex.raw('DROP TABLE everything_restored');
  });

  it('hand out new ids behind the restored ones on a database that never saw them', async () => {
    const fresh = await createTestDatabase(kind);
    const other = connectDatabase(fresh.databaseUrl);
    await createTables(other.knex, [table]);

    await restoreArchive(other, manifestPath);
    await other.knex('everything').insert({ owner: '00000000-0000-7000-8000-000000000009', small: 1, name: 'new' });

    expect(await other.knex('everything').orderBy('id', 'desc').pluck('name')).toHaveLength(rows.length + 1);
    expect((await other.knex('everything').orderBy('id', 'desc').first<{ name: string }>('name')).name).toBe('new');
    await other.close();
    await fresh.drop();
  });

  it('are refused, with nothing inserted, when file, manifest or table do not fit each other', async () => {
    const bad = await mkdtemp(path.join(tmpdir(), 'restore-bad-'));
    const manifest = JSON.parse(await readFile(manifestPath, 'utf8')) as Record<string, unknown> & { file: string };
    const intact = await readFile(path.join(path.dirname(manifestPath), manifest.file));
    const write = async (changes: Record<string, unknown>, file: Buffer): Promise<string> => {
      const target = path.join(bad, 'x.manifest.json');
      await writeFile(path.join(bad, manifest.file), file);
      await writeFile(target, JSON.stringify({ ...manifest, ...changes }));
      return target;
    };
    const flipped = Buffer.from(intact);
    flipped[20] = (flipped[20] ?? 0) ^ 1;
    const shorter = gzipSync(gunzipSync(intact).toString().split('\n').slice(1).join('\n'));
    const sha256 = (file: Buffer): string => createHash('sha256').update(file).digest('hex');
    const cut = intact.subarray(0, intact.length - 12);

    const cases: [() => Promise<string>, RegExp][] = [
      [() => write({}, flipped), /SHA-256/],
      [() => write({ sha256: sha256(shorter) }, shorter), /5 rows, the manifest says 6/],
      [() => write({ sha256: sha256(cut) }, cut), /unexpected end/],
      [() => write({ format_version: 2 }, intact), /cannot be read as a manifest/],
      [() => write({ file: '../../elsewhere.jsonl.gz' }, intact), /cannot be read as a manifest/],
      [() => write({ table: 'nothing' }, intact), /does not exist/],
      [() => write({ columns: [{ name: 'gone', type: 'text' }] }, intact), /lacks the columns gone/],
    ];
    for (const [prepare, message] of cases) {
      const restoring = restoreArchive(database, await prepare());
      await expect(restoring).rejects.toMatchObject({
        code: 'archive-invalid',
        message: expect.stringMatching(message),
      });
    }
    await expect(restoreArchive(database, path.join(bad, 'missing.manifest.json'))).rejects.toMatchObject({
      code: 'archive-invalid',
    });
    await rm(path.join(bad, manifest.file));
    await expect(verifyArchive(path.join(bad, 'x.manifest.json'))).rejects.toMatchObject({ code: 'archive-invalid' });
    await copyFile(manifestPath, path.join(bad, 'x.manifest.json'));
    await writeFile(path.join(bad, manifest.file), intact);
    expect(await verifyArchive(path.join(bad, 'x.manifest.json'))).toEqual(manifest);
    expect(await database.knex('everything').pluck('id')).toEqual([]);
    await rm(bad, { recursive: true });
  });

  it('go from either database into the other', async () => {
    const otherKind = testDatabaseKinds().find((candidate) => candidate !== kind) ?? kind;
    const elsewhere = await createTestDatabase(otherKind);
    const other = connectDatabase(elsewhere.databaseUrl);
    await createTables(other.knex, [table]);

    expect(await restoreArchive(other, manifestPath)).toMatchObject({ inserted: rows.length });

    const asIs = (value: Database): Promise<unknown[]> =>
      value
        .knex('everything')
        .orderBy('id')
        .select<unknown[]>(
          'id',
          'owner',
          'small',
          'ratio',
          'name',
          'code',
          'digest',
          'story',
          'picture',
          'seen_at',
          'twice',
          'created_at',
        );
    await restoreArchive(database, manifestPath);
    expect(await asIs(other)).toEqual(await asIs(database));
    await other.close();
    await elsewhere.drop();
  });
});
