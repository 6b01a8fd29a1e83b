import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { connectDatabase, createLogger, createWakeups, migrateUp, type Database, type Wakeups } from '@omnizap/runtime';
import type { TaskOutcome } from '@omnizap/tasks';
import { createTestDatabase, testDatabaseKinds, waitFor, type TestDatabase } from '@omnizap/testkit';
import { addPack, addSticker, flags } from '../test/builders.ts';
import type { StoredClassification } from './asset-store.ts';
import { createCurateTheme, curatorOwnerId } from './curate-theme.ts';
import { createPacks } from './packs.ts';
import { createWorkStateStore } from './work-state-store.ts';

const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
const owner = { ownerId: 'owner', isAdmin: false };

type AutoPackRow = { id: string; pack_key: string; theme_volume: number; deleted_at: Date | null; version: number };

describe.each(testDatabaseKinds())('curating a theme on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;
  let wakeups: Wakeups;
  let theme = '';
  let themes = 0;

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl, { poolMax: 6 });
    await migrateUp(database);
    wakeups = createWakeups({ queueUrl: test.queueUrl, log });
  });
  beforeEach(() => {
    theme = `theme-${(themes += 1)}`;
  });
  afterAll(async () => {
    await database.close();
    await test.drop();
  });

  async function addStickers(count: number, changes: Partial<StoredClassification> = {}): Promise<string[]> {
    const ids: string[] = [];
    for (let index = 0; index < count; index += 1)
      ids.push(await addSticker(database, { classification: { themeKey: theme, category: theme, ...changes } }));
    return ids;
  }

  const want = (): Promise<void> => createWorkStateStore(database).want([{ taskType: 'curation', subjectId: theme }]);

  async function curate(): Promise<TaskOutcome> {
    await want();
    return look();
  }

  const look = (through: Database = database): Promise<TaskOutcome> =>
    createCurateTheme({ database: through, flags, wakeups })(
      { id: 'task', taskType: 'curation', subjectId: theme, attempt: 1, requestId: undefined, eventId: undefined },
      { signal: new AbortController().signal, log, lookedAt: () => undefined },
    );

  const autoPacks = (): Promise<AutoPackRow[]> =>
    database.knex('sticker_pack').where({ theme_key: theme }).orderBy('theme_volume').select<AutoPackRow[]>();
  const itemsOf = (packId: string): Promise<string[]> =>
    database.knex('sticker_pack_item').where({ pack_id: packId }).orderBy('position').pluck<string[]>('asset_id');

  /** Everything that curating this theme may write. */
  async function traces(): Promise<unknown> {
    const packs = await autoPacks();
    const ids = packs.map((pack) => pack.id);
    return {
      packs,
      items: await database.knex('sticker_pack_item').whereIn('pack_id', ids).orderBy(['pack_id', 'position']),
      events: await database.knex('domain_event_outbox').whereIn('aggregate_id', ids).orderBy('id'),
    };
  }

  it('makes a pack of a dozen stickers that people published, and leaves it alone when it is right', async () => {
    const stickers = await addStickers(11);
    await addPack(database, stickers);
    expect((await curate()).status).toBe('skipped');
    expect(await autoPacks()).toEqual([]);

    const [twelfth] = await addStickers(1);
    await addPack(database, [twelfth ?? '']);
    expect((await curate()).status).toBe('done');
    const before = await traces();
    expect((await curate()).status).toBe('skipped');

    const [pack] = await autoPacks();
    expect(pack).toMatchObject({
      theme_volume: 1,
      deleted_at: null,
      owner_id: curatorOwnerId,
      is_auto_pack: 1,
      status: 'published',
      visibility: 'public',
    });
    expect((await itemsOf(pack?.id ?? '')).toSorted()).toEqual([...stickers, twelfth].toSorted());
    expect(await traces()).toEqual(before);
    expect(await createWorkStateStore(database).read('rebuild', pack?.id ?? '')).toEqual({
      wantedVersion: 1,
      doneVersion: 0,
    });
  });

  it('takes only what is ready, not sensitive and in a public pack that a person made', async () => {
    const good = await addStickers(12);
    await addPack(database, good);
    await addPack(database, await addStickers(2), { visibility: 'private' });
    await addPack(database, await addStickers(2), { visibility: 'unlisted' });
    await addPack(database, await addStickers(2), { status: 'draft' });
    await addPack(database, await addStickers(2, { nsfwLevel: 'suggestive' }));
    await addPack(database, [await addSticker(database, { status: 'rejected', classification: { themeKey: theme } })]);
    await addStickers(2);

    await curate();

    const [pack] = await autoPacks();
    expect((await itemsOf(pack?.id ?? '')).toSorted()).toEqual(good.toSorted());
  });

  it('never shows fewer packs or stickers than before while it makes room for more', async () => {
    await addPack(database, await addStickers(14, { confidence: 0.5 }));
    await curate();
    const sizes = new Set<number>();
    let isOver = false;
    const watching = (async () => {
      while (!isOver) {
        const counts = await database
          .knex('sticker_pack as p')
          .leftJoin('sticker_pack_item as i', 'i.pack_id', 'p.id')
          .where({ 'p.theme_key': theme, 'p.theme_volume': 1, 'p.status': 'published' })
          .whereNull('p.deleted_at')
          .count<{ count: number }[]>({ count: 'i.asset_id' });
        sizes.add(counts[0]?.count ?? 0);
      }
    })();

    for (let round = 0; round < 6; round += 1) {
      // Better ones than all before: the whole pack is put in another order.
      await addPack(database, await addStickers(8, { confidence: 0.6 + round / 20 }));
      expect((await curate()).status).toBe('done');
    }
    isOver = true;
    await watching;

    expect((await autoPacks()).filter((pack) => pack.deleted_at !== null)).toEqual([]);
    // 14 at first, 22 after one round, 30 from then on; nothing in between, nothing less.
    expect([...sizes].every((size) => [14, 22, 30].includes(size))).toBe(true);
    expect(sizes.has(30)).toBe(true);
  });

  it('retires a pack whose stickers people took away, and brings the same one back', async () => {
    const [most, rest] = [await addStickers(12), await addStickers(1)];
    const human = await addPack(database, most);
    await addPack(database, rest);
    await curate();
    const [before] = await autoPacks();

    await createPacks({ database, flags, wakeups }).remove(owner, human.packKey);
    expect((await look()).status).toBe('done');
    const [retired] = await autoPacks();
    await addPack(database, most);
    await curate();
    const [after] = await autoPacks();

    expect(before?.deleted_at).toBeNull();
    expect(retired?.deleted_at).toBeInstanceOf(Date);
    expect(after).toMatchObject({ id: before?.id, pack_key: before?.pack_key, deleted_at: null });
    expect(await itemsOf(after?.id ?? '')).toHaveLength(13);
  });

  it('announces each changed pack, and only those', async () => {
    await addPack(database, await addStickers(42));
    await curate();
    const packs = await autoPacks();
    const countEvents = async (): Promise<number[]> =>
      Promise.all(
        packs.map(
          async ({ id }) => (await database.knex('domain_event_outbox').where({ aggregate_id: id }).pluck('id')).length,
        ),
      );
    expect(await countEvents()).toEqual([1, 1]);

    // The least sure of all: it goes to the end of the last volume.
    await addPack(database, await addStickers(1, { confidence: 0.1 }));
    await curate();

    expect(await countEvents()).toEqual([1, 2]);
  });

  it('writes nothing after a newer look at the theme was recorded', async () => {
    await addPack(database, await addStickers(12));
    await want();
    const hasLocked = Promise.withResolvers<void>();
    const mayCommit = Promise.withResolvers<void>();
    const newer = database.transaction(async (trx) => {
      await trx('work_state')
        .where({ task_type: 'curation', subject_id: theme })
        .update({ wanted_version: 2, done_version: 2 });
      hasLocked.resolve();
      await mayCommit.promise;
    });
    await hasLocked.promise;
    let locks = 0;
    const countLocks = ({ sql }: { sql: string }): void => {
      if (/for update/i.test(sql)) locks += 1;
    };
    database.knex.on('query', countLocks);

    const older = look();
    await waitFor(() => locks > 0);
    mayCommit.resolve();
    await newer;

    expect((await older).status).toBe('skipped');
    database.knex.removeListener('query', countLocks);
    expect(await autoPacks()).toEqual([]);
  });

  it('makes no pack of what nobody could name', async () => {
    theme = 'other';
    await addPack(database, await addStickers(20));

    expect((await curate()).status).toBe('skipped');
    expect(await autoPacks()).toEqual([]);
  });

  it('is not undone by a look that had read before the last change and writes after it was looked at', async () => {
    const stickers = await addStickers(12);
    const pack = await addPack(database, stickers);
    await want();
    const older = await holdWritesAfterReading();
    const late = look(older.database);
    await older.hasRead;
    await createPacks({ database, flags, wakeups }).remove(owner, pack.packKey);
    const newer = await holdWritesAfterReading();
    const last = look(newer.database);
    await newer.hasRead;
    older.goOn();
    await late;
    newer.goOn();
    await last;

    expect((await autoPacks()).filter((auto) => auto.deleted_at === null)).toEqual([]);
    expect(await createWorkStateStore(database).read('curation', theme)).toMatchObject({ doneVersion: 2 });
    await Promise.all([older.database.close(), newer.database.close()]);
  });

  /** A connection whose transactions wait, from the moment on when the candidates were asked for, until `goOn`. */
  async function holdWritesAfterReading() {
    const own = connectDatabase(test.databaseUrl, { poolMax: 2 });
    const read = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    let isHeld = false;
    own.knex.on('query-response', (_answer: unknown, { sql }: { sql: string }) => {
      if (sql.includes('theme_volume')) {
        isHeld = true;
        read.resolve();
      }
    });
    const held: Database = {
      ...own,
      transaction: async (work) => {
        if (isHeld) await gate.promise;
        return own.transaction(work);
      },
    };
    return { database: held, hasRead: read.promise, goOn: gate.resolve };
  }
});
