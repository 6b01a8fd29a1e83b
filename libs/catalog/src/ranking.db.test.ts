import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  connectDatabase,
  createLogger,
  createMetrics,
  createWakeups,
  migrateUp,
  type Database,
  type Wakeups,
} from '@omnizap/runtime';
import { createTestDatabase, testDatabaseKinds, waitFor, type TestDatabase } from '@omnizap/testkit';
import { v7 as uuidv7 } from 'uuid';
import { randomNumbers } from '../test/builders.ts';
import { createCatalogueReader } from './catalogue-reader.ts';
import { formatCursor } from './cursor.ts';
import { createRankingPublisher, rankingTopic } from './ranking-publisher.ts';
import { sorts, type Sort } from './ranking-index.ts';
import { createRankingStore } from './ranking-store.ts';

const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
const packCount = 2_500;
const refreshIntervalMs = 300_000;
const ageDecayDays = 45;
const everything = { query: undefined, categories: [], includeSensitive: true };

describe.each(testDatabaseKinds())('the ranking on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;
  let wakeups: Wakeups;
  let clockOffsetMs = 0;
  /** By number of likes, most first: an order that this test knows without asking. */
  let byLikes: string[] = [];

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl);
    await migrateUp(database);
    wakeups = createWakeups({ queueUrl: test.queueUrl, log });
    await wakeups.start();
    byLikes = await insertPacks();
  });
  beforeEach(() => {
    const real = performance.now.bind(performance);
    clockOffsetMs = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => real() + clockOffsetMs);
  });
  afterEach(() => void jest.restoreAllMocks());
  afterAll(async () => {
    await wakeups.stop();
    await database.close();
    await test.drop();
  });

  async function insertPacks(): Promise<string[]> {
    const next = randomNumbers(1);
    const packs = Array.from({ length: packCount }, (_, index) => ({ id: uuidv7(), likes: index, score: next() }));
    await database.knex.batchInsert(
      'sticker_pack',
      packs.map(({ id }, index) => ({
        id,
        pack_key: `pack-${index}`,
        owner_id: 'owner',
        name: `Pack ${index}`,
        publisher: 'Somebody',
        visibility: 'public',
        status: 'published',
        tags: '[]',
        updated_at: new Date(Date.now() - Math.floor(next() * 90 * 86_400_000)),
      })),
      500,
    );
    await database.knex.batchInsert(
      'sticker_pack_engagement',
      // Without opens there is no trend, so no order changes with the clock alone.
      packs.map(({ id, likes }) => ({ pack_id: id, like_count: likes })),
      500,
    );
    await database.knex.batchInsert(
      'sticker_pack_score_snapshot',
      packs.map(({ id, score }) => ({
        pack_id: id,
        source_version: 1,
        pack_score: score,
        quality_score: 0.5,
        engagement_score: 0.5,
        diversity_score: 0.5,
        cohesion_score: 0.5,
        confidence_score: 0.5,
        duplicate_share: 0,
        nsfw_level: 'safe',
        is_listed: 1,
        is_animated: 0,
        is_whatsapp_ready: 1,
        sticker_count: 3,
        categories: '[]',
        labels: '[]',
        engagement_version: 0,
        // Long enough ago to be no news.
        refreshed_at: new Date(Date.now() - 3_600_000),
      })),
      500,
    );
    return packs.toReversed().map(({ id }) => id);
  }

  const newPublisher = (mayPublish = (): boolean => true) =>
    createRankingPublisher(
      { database, wakeups, log, metrics: createMetrics({ version: '0', release: 'stable', process: 'maintenance' }) },
      { refreshIntervalMs, ageDecayDays, mayPublish },
    );
  const newReader = () => createCatalogueReader({ database }, { ageDecayDays });

  const newest = async (): Promise<number> => (await createRankingStore(database).current())?.generation ?? 0;

  async function publishNow(): Promise<number> {
    await newPublisher().pass();
    return newest();
  }

  /** A rebuilt score row, as `writeScore` leaves it. */
  const rebuild = (packId: string, score: number): Promise<unknown> =>
    database
      .knex('sticker_pack_score_snapshot')
      .where({ pack_id: packId })
      .update({ pack_score: score, source_version: database.knex.raw('source_version + 1'), refreshed_at: new Date() });

  async function readPage(
    sort: Sort,
    limit: number,
    cursor?: string,
    reader = newReader(),
    source: 'snapshot' | 'live' = 'snapshot',
  ) {
    return reader.readPage(await reader.locatePage({ sort, limit, cursor, source, filters: everything }));
  }

  async function walk(
    sort: Sort,
    limit: number,
    betweenPages: (page: number) => Promise<void> = async () => undefined,
  ) {
    const reader = newReader();
    const ids: string[] = [];
    const generations = new Set<number | undefined>();
    let cursor: string | undefined;
    for (let page = 0; ; page += 1) {
      const { packs, generation, nextCursor } = await readPage(sort, limit, cursor, reader);
      ids.push(...packs.map(({ pack }) => pack.id));
      generations.add(generation?.generation);
      if (nextCursor === null) return { ids, generations: [...generations] };
      cursor = nextCursor;
      await betweenPages(page);
    }
  }

  it('is empty and says so before anything was published', async () => {
    expect(await readPage('popular', 24)).toMatchObject({ packs: [], generation: null, nextCursor: null });
  });

  it('is published when an order changed, and otherwise only at the refresh interval', async () => {
    let wokenUp = 0;
    const off = wakeups.on(rankingTopic, () => (wokenUp += 1));
    const publisher = newPublisher();
    const [best = '', other = ''] = byLikes;
    // Fresh ones: their scores have not faded.
    await database.knex('sticker_pack').whereIn('id', [best, other]).update({ updated_at: new Date() });
    const seen: number[] = [];
    const passAfter = async (milliseconds: number): Promise<void> => {
      clockOffsetMs += milliseconds;
      await publisher.pass();
      seen.push(await newest());
    };

    await passAfter(0);
    await rebuild(best, 1.4);
    await passAfter(100);
    await passAfter(60_000);
    await passAfter(60_000);
    // Best already: its score rises, no order changes.
    await rebuild(best, 1.5);
    await passAfter(60_000);
    await rebuild(other, 1.45);
    await passAfter(60_000);
    await passAfter(refreshIntervalMs);
    await passAfter(60_000);

    const first = seen[0] ?? 0;
    expect(seen.map((generation) => generation - first)).toEqual([0, 0, 1, 1, 1, 2, 3, 3]);
    await waitFor(() => wokenUp === 4);
    off();
  });

  it('is not published by a leader that lost its lease while it computed', async () => {
    const before = await newest();
    const countChunks = async (): Promise<number> =>
      (await database.knex('ranking_generation_chunk').pluck<number[]>('chunk')).length;
    const chunksBefore = await countChunks();

    await expect(newPublisher(() => false).pass()).rejects.toMatchObject({ code: 'version-conflict' });

    expect([await newest(), await countChunks()]).toEqual([before, chunksBefore]);
  });

  it('notices a score that was stamped early and committed late', async () => {
    const store = createRankingStore(database);
    const since = new Date(Date.now() - 60_000);
    const [one = '', two = ''] = byLikes.slice(10);
    await rebuild(one, 0.5);
    await rebuild(two, 0.5);
    const before = await store.scoreFingerprint(since);

    await database
      .knex('sticker_pack_score_snapshot')
      .where({ pack_id: one })
      .update({ source_version: database.knex.raw('source_version + 1') });

    expect(await store.scoreFingerprint(since)).not.toBe(before);
  });

  it.each(sorts)('walks every pack exactly once by %s, in pages that do not fit its length', async (sort) => {
    await publishNow();

    const { ids } = await walk(sort, 60);

    expect(ids).toHaveLength(packCount);
    expect(new Set(ids).size).toBe(packCount);
    if (sort === 'likes') expect(ids).toEqual(byLikes);
  });

  it('stays with the generation of its first page while newer ones come out', async () => {
    const generation = await publishNow();
    const expected = await walk('popular', 60);

    const followed = await walk('popular', 60, async (page) => {
      if (page % 15 !== 0) return;
      for (const id of byLikes.slice(page * 20, page * 20 + 5)) await rebuild(id, Math.random() * 1.5);
      await publishNow();
    });

    expect(await newest()).toBeGreaterThan(generation + 2);
    expect(followed.ids).toEqual(expected.ids);
    expect(followed.generations).toEqual([generation]);
  });

  it('lets an older cursor work until its generation is dropped, and then says that it expired', async () => {
    const generation = await publishNow();
    const { nextCursor } = await readPage('recent', 24);
    await publishNow();
    const store = createRankingStore(database);

    await store.prune(16 * 60_000);
    const still = await readPage('recent', 24, nextCursor ?? undefined);
    await database
      .knex('ranking_generation')
      .where({ generation })
      .update({ superseded_at: new Date(Date.now() - 17 * 60_000) });
    await store.prune(16 * 60_000);

    expect(still.generation?.generation).toBe(generation);
    await expect(readPage('recent', 24, nextCursor ?? undefined)).rejects.toMatchObject({ code: 'snapshot-expired' });
    expect(await database.knex('ranking_generation_chunk').where({ generation })).toEqual([]);
    // The newest is never dropped, however old.
    expect(await newest()).toBeGreaterThan(generation);
  });

  it('leaves out at once what may no longer be seen, and goes on behind it', async () => {
    await publishNow();
    const [first = '', second = '', third = ''] = byLikes;
    await database.knex('sticker_pack').where({ id: first }).update({ visibility: 'private' });
    await database.knex('sticker_pack').where({ id: second }).update({ deleted_at: new Date() });

    const page = await readPage('likes', 3);
    await database
      .knex('sticker_pack')
      .whereIn('id', [first, second])
      .update({ visibility: 'public', deleted_at: null });

    expect(page.packs.map(({ pack }) => pack.id)).toEqual([third]);
    expect(page.nextCursor).not.toBeNull();
  });

  it('asks the database as often for one pack as for sixty', async () => {
    await publishNow();
    let queries = 0;
    const count = (): void => void (queries += 1);
    const queriesFor = async (limit: number, cursor?: string): Promise<number> => {
      queries = 0;
      await readPage('popular', limit, cursor);
      return queries;
    };
    database.knex.on('query', count);

    const [one, sixty] = [await queriesFor(1), await queriesFor(60)];
    const warm = newReader();
    const first = await readPage('popular', 60, undefined, warm);
    queries = 0;
    await readPage('popular', 60, first.nextCursor ?? undefined, warm);
    const next = queries;
    database.knex.removeListener('query', count);

    expect(sixty).toBe(one);
    // The generation, its index and the packs; the packs alone once the first two are known.
    expect([one, next]).toEqual([3, 1]);
  });

  it('answers a cursor behind the end with an empty last page', async () => {
    await publishNow();
    const reader = newReader();
    const generation = (await reader.currentGeneration())?.generation ?? 0;
    const { filterDigest } = await reader.locatePage({
      ...{ sort: 'popular', limit: 1, source: 'snapshot', filters: everything },
    });
    const cursor = formatCursor({ source: 'snapshot', generation, sort: 'popular', filterDigest, position: packCount });

    expect(await readPage('popular', 60, cursor, reader)).toMatchObject({ packs: [], nextCursor: null });
  });

  describe('asked for without a snapshot', () => {
    async function walkLive(sort: Sort, limit: number, betweenPages: () => Promise<unknown> = async () => undefined) {
      const ids: string[] = [];
      for (let cursor: string | undefined; ;) {
        // A reader of its own: what others kept for a moment does not matter here.
        const page = await readPage(sort, limit, cursor, newReader(), cursor === undefined ? 'live' : 'snapshot');
        expect([page.source, page.generation]).toEqual(['live', null]);
        ids.push(...page.packs.map(({ pack }) => pack.id));
        if (page.nextCursor === null) return ids;
        cursor = page.nextCursor;
        await betweenPages();
      }
    }

    it('has the order of the snapshot in every sort that does not age, and goes on live with its cursor', async () => {
      await publishNow();

      for (const sort of ['recent', 'likes', 'downloads', 'rating'] as const)
        expect(await walkLive(sort, 60)).toEqual((await walk(sort, 60)).ids);
    });

    it('orders what ages as of the newest change, so that the same tables give the same answer', async () => {
      const first = await readPage('popular', 60, undefined, newReader(), 'live');
      const again = await readPage('popular', 60, undefined, newReader(), 'live');

      expect(again).toEqual(first);
      expect(first.at).not.toBeNull();
    });

    it('shows in recent every pack that does not change meanwhile exactly once, whatever the others do', async () => {
      const [moved = ''] = (await walkLive('recent', 60)).slice(-1);
      const rows = await database.knex('sticker_pack').pluck<string[]>('id');
      let changes = 0;
      const ids = await walkLive('recent', 60, async () => {
        if ((changes += 1) === 3)
          await database.knex('sticker_pack').where({ id: moved }).update({ updated_at: new Date() });
      });

      const unchanged = ids.filter((id) => id !== moved);
      expect(new Set(unchanged).size).toBe(unchanged.length);
      expect(unchanged.length).toBe(rows.length - 1);
    });

    it('computes the order once for many who ask at the same moment', async () => {
      let queries = 0;
      const count = ({ sql }: { sql: string }): void => {
        if (sql.includes('is_listed')) queries += 1;
      };
      database.knex.on('query', count);
      const reader = newReader();
      await Promise.all(
        Array.from({ length: 20 }, () =>
          reader.locatePage({ sort: 'likes', limit: 24, source: 'live', filters: everything }),
        ),
      );
      database.knex.removeListener('query', count);

      expect(queries).toBe(Math.floor(packCount / 2_000) + 1);
    });
  });
});
