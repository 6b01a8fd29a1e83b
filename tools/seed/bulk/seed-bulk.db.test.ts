/** A small made-up catalogue, held against what the product itself says of it: references, its own rebuild, its own sweeps. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  countDueWork,
  createCatalogueDepth,
  createTaskDefinitions,
  createWorkStateStore,
  taskTypes,
} from '@omnizap/catalog';
import { connectDatabase, createLogger, createWakeups, loadConfig, migrateUp, type Database } from '@omnizap/runtime';
import { createDiskStore } from '@omnizap/storage';
import type { TaskOutcome } from '@omnizap/tasks';
import { createTestDatabase, testDatabaseKinds, type TestDatabase } from '@omnizap/testkit';
import type { BulkOptions } from './bulk-options.ts';
import { planPack } from './plan-packs.ts';
import { seedBulk } from './seed-bulk.ts';

const options: BulkOptions = { packs: 60, stickersPerPack: 20, seed: 3, isForced: false };
const log = createLogger({ level: 'silent', format: 'json', process: 'test' });

describe.each(testDatabaseKinds())('seeding in bulk on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;
  let dataDir: string;
  let said: string[];

  const seed = async (changes: Partial<BulkOptions> = {}, signal = new AbortController().signal): Promise<void> => {
    const env = { DATABASE_URL: test.databaseUrl, QUEUE_DATABASE_URL: test.queueUrl, STICKER_DATA_DIR: dataDir };
    said = [];
    await seedBulk(
      { ...options, ...changes },
      {
        config: loadConfig(env),
        output: { write: (text) => said.push(text) },
        signal,
        packsPerTransaction: 25,
      },
    );
  };
  const countOf = async (table: string): Promise<number> => {
    const [row] = await database.knex(table).count<{ count: number }[]>({ count: '*' });
    return row?.count ?? NaN;
  };

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl, { poolMax: 2, applicationName: 'seed test' });
    dataDir = await mkdtemp(path.join(tmpdir(), 'omnizap-bulk-'));
  });
  afterAll(async () => {
    await database?.close();
    await test?.drop();
    if (dataDir) await rm(dataDir, { recursive: true, force: true });
  });

  it('asks for the tables first', async () => {
    await expect(seed()).rejects.toThrow('npm run db:migrate');
    await migrateUp(database);
  });

  it('stops between two packs, and goes on from there', async () => {
    const abort = new AbortController();
    const counts: number[] = [];
    const env = { DATABASE_URL: test.databaseUrl, QUEUE_DATABASE_URL: test.queueUrl, STICKER_DATA_DIR: dataDir };
    const stopped = seedBulk(options, {
      config: loadConfig(env),
      output: { write: (text) => text.includes(' of 60 packs') && abort.abort(new Error('enough')) },
      signal: abort.signal,
      packsPerTransaction: 25,
    });

    await expect(stopped).rejects.toThrow('enough');
    counts.push(await countOf('sticker_pack'), await countOf('sticker_pack_item'));
    await seed();
    counts.push(await countOf('sticker_pack'), await countOf('sticker_pack_item'));

    expect(counts).toEqual([25, 25 * 20, 60, 60 * 20]);
    expect(said.join('')).toContain('going on after pack 25');
    expect(said.join('')).toContain('35 packs with 700 stickers');
  }, 120_000);

  it('leaves nothing that refers to nothing', async () => {
    const references = [
      ...['sticker_pack_item', 'sticker_pack_engagement', 'sticker_pack_interaction_total'].map((table) => [
        table,
        'pack',
      ]),
      ...['sticker_pack_score_snapshot', 'sticker_pack_term'].map((table) => [table, 'pack']),
      ...['sticker_pack_item', 'sticker_asset_classification', 'sticker_asset_derivative'].map((table) => [
        table,
        'asset',
      ]),
    ];
    for (const [table = '', what = ''] of references) {
      const orphans = await database
        .knex(`${table} as r`)
        .leftJoin(`sticker_${what} as t`, 't.id', `r.${what}_id`)
        .whereNull('t.id')
        .pluck(`r.${what}_id`);
      expect([table, what, orphans]).toEqual([table, what, []]);
    }
    const covers = await database
      .knex('sticker_pack_score_snapshot as s')
      .leftJoin('sticker_pack_item as i', (join) => {
        join.on('i.pack_id', 's.pack_id').andOn('i.asset_id', 's.cover_asset_id');
      })
      .whereNull('i.asset_id')
      .pluck('s.pack_id');
    expect(covers).toEqual([]);
  });

  it('makes each sticker with all that belongs to it, and each pack as it was planned', async () => {
    expect(await countOf('sticker_asset')).toBe(1_200);
    expect(await countOf('sticker_asset_classification')).toBe(1_200);
    expect(await countOf('sticker_asset_derivative')).toBe(2_400);
    expect(await countOf('domain_event_outbox')).toBe(0);
    const rows = await database.knex('sticker_pack').orderBy('id').select('id', 'pack_key', 'name', 'publisher');
    expect(rows).toEqual(
      Array.from({ length: 60 }, (_, index) => {
        const { id, packKey, name, publisher } = planPack(options.seed, index + 1);
        return { id, pack_key: packKey, name, publisher };
      }),
    );
  });

  it('leaves counters that equal what was archived', async () => {
    const rows = await database
      .knex('sticker_pack_engagement as e')
      .leftJoin('sticker_pack_interaction_total as t', 't.pack_id', 'e.pack_id')
      .groupBy('e.pack_id', 'e.open_count', 'e.like_count', 'e.dislike_count', 'e.download_count', 'e.version')
      .select<{ counted: number; version: number; archived: number | null }[]>(
        database.knex.raw('e.open_count + e.like_count + e.dislike_count + e.download_count AS counted'),
        'e.version',
        database.knex.raw('SUM(t.archived_count) AS archived'),
      );
    expect(rows).toHaveLength(60);
    for (const { counted, version, archived } of rows) expect([version, archived ?? 0]).toEqual([counted, counted]);
  });

  it('leaves nothing to do', async () => {
    const emoji = { name: 'emoji', version: '1' };
    expect(await createCatalogueDepth(database, emoji)()).toEqual({
      outbox: { pending: 0, processing: 0, failed: 0, dlq: 0, oldestSeconds: 0 },
      deadTasks: 0,
      reprocessPending: 0,
      scorePending: 0,
    });
    expect(await countDueWork(database)).toEqual(taskTypes.map((taskType) => ({ taskType, subjects: 0 })));
  });

  it('leaves scores and terms in which another look at any pack finds nothing to change', async () => {
    const wakeups = createWakeups({ queueUrl: test.queueUrl, log });
    const store = createDiskStore(path.join(dataDir, 'stickers'));
    const deps = { database, wakeups, store, flags: { isOn: () => true } };
    const [definition] = createTaskDefinitions(deps, ['rebuild'], {
      webhooks: { isEnabled: false, allowPrivate: false },
    });
    if (!definition || !('handle' in definition)) throw new Error('Rebuild works no single packs');
    const rebuild = definition.handle;
    const ids = await database.knex('sticker_pack').pluck<string[]>('id');
    await createWorkStateStore(database).want(ids.map((subjectId) => ({ taskType: 'rebuild', subjectId })));

    const outcomes: TaskOutcome[] = [];
    for (const subjectId of ids)
      outcomes.push(
        await rebuild(
          { id: 'task', taskType: 'rebuild', subjectId, attempt: 1, requestId: undefined, eventId: undefined },
          { signal: new AbortController().signal, log, lookedAt: () => undefined },
        ),
      );

    expect(outcomes).toEqual(ids.map(() => ({ status: 'skipped', reason: 'nothing changed' })));
  }, 60_000);

  it('leaves a catalogue alone that has other packs, and one of packs of another size', async () => {
    await expect(seed({ seed: 4 })).rejects.toThrow('--yes');
    await expect(seed({ packs: 80, stickersPerPack: 5 })).rejects.toThrow('--stickers-per-pack 20');
    await seed();
    expect(said).toEqual(['Seed: the 60 packs are already there.\n']);
    expect(await countOf('sticker_pack')).toBe(60);

    await seed({ seed: 4, packs: 5, stickersPerPack: 3, isForced: true });
    expect(await countOf('sticker_pack')).toBe(65);
  }, 60_000);
});
