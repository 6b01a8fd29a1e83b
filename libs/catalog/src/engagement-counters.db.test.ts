/** The counters of packs while viewers, retention and restores are at work at the same time and months go by. */
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  connectDatabase,
  createLogger,
  createRetention,
  createWakeups,
  migrateUp,
  rowsOf,
  type Database,
  type RetentionPolicy,
} from '@omnizap/runtime';
import { createTestDatabase, testDatabaseKinds, type TestDatabase } from '@omnizap/testkit';
import { addPack, addSticker, flags, randomNumbers } from '../test/builders.ts';
import { catalogRetention } from './catalog-retention.ts';
import { createEngagement } from './engagement.ts';
import { interactions, type Interaction } from './engagement-store.ts';

const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
const windowMs = 30 * 60_000;
/** Interactions of the first three rounds are archived in the fourth; the last is within the 400 days of daily counts. */
const rounds = 5;
const daysPerRound = 61;
const viewersAtOnce = 6;
const stepsPerRound = 18;

type Pack = { id: string; packKey: string };
type Difference = { pack_id: string; interaction: Interaction; counted: number; logged: number };

describe.each(testDatabaseKinds())('the counters of packs on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;
  let archiveDir: string;

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl, { poolMax: 12 });
    await migrateUp(database);
    archiveDir = await mkdtemp(path.join(tmpdir(), 'engagement-counters-'));
  });
  afterEach(() => void jest.restoreAllMocks());
  afterAll(async () => {
    await database.close();
    await test.drop();
    await rm(archiveDir, { recursive: true, force: true });
  });

  const engagement = () =>
    createEngagement({ database, flags, wakeups: createWakeups({ queueUrl: test.queueUrl, log }) });
  const retention = (policies: RetentionPolicy[] = catalogRetention(kind)) =>
    createRetention({ database, log }, { policies, archiveDir });

  /** Packs and interactions that are not what log, totals and days add up to, or negative: one statement, one moment. */
  async function differences(): Promise<Difference[]> {
    const parts = interactions.map((interaction) => {
      const sumOf = (table: string, column: string): string =>
        `COALESCE((SELECT SUM(x.${column}) FROM ${table} x
                    WHERE x.pack_id = e.pack_id AND x.interaction = '${interaction}'), 0)`;
      return `SELECT e.pack_id, '${interaction}' AS interaction, e.${interaction}_count AS counted,
                     (SELECT COUNT(*) FROM sticker_pack_interaction_event i
                       WHERE i.pack_id = e.pack_id AND i.interaction = '${interaction}') AS logged,
                     ${sumOf('sticker_pack_interaction_total', 'archived_count')} AS archived,
                     ${sumOf('sticker_pack_interaction_day', 'count')} AS by_day
                FROM sticker_pack_engagement e`;
    });
    return rowsOf<Difference>(
      await database.knex.raw(
        `SELECT * FROM (${parts.join(' UNION ALL ')}) c
          WHERE counted <> logged + archived OR counted <> by_day OR counted < 0 OR archived < 0`,
      ),
    );
  }

  /** Looks again and again until `work` is done; returns what was ever wrong. */
  async function watchDuring(work: Promise<unknown>): Promise<{ looks: number; wrong: Difference[] }> {
    let isDone = false;
    const done = work.finally(() => (isDone = true));
    const seen = { looks: 0, wrong: [] as Difference[] };
    while (!isDone) {
      seen.wrong.push(...(await differences()));
      seen.looks += 1;
    }
    await done;
    return seen;
  }

  /** What has been dated becomes so much older. By way of the far future: no row meets another of its key on the way. */
  async function letDaysPass(days: number): Promise<void> {
    const far = 100_000;
    const shifts = (column: string, by: number): string =>
      kind === 'postgres' ? `${column} + ${by} * interval '1 day'` : `${column} + INTERVAL ${by} DAY`;
    await database.knex.raw(`UPDATE sticker_pack_interaction_event SET created_at = ${shifts('created_at', -days)}`);
    for (const by of [far, -far - days])
      await database.knex.raw(`UPDATE sticker_pack_interaction_day SET day = ${shifts('day', by)}`);
  }

  it('stay equal when a rating meets its opposite that is just being archived', async () => {
    const pack = await addPack(database, [await addSticker(database)]);
    const viewer = { key: 'late', address: '10.7.7.7' };
    await engagement().record(pack.packKey, 'like', viewer);
    await letDaysPass(200);
    let switching: Promise<unknown> | undefined;
    // Retention has the row locked when the switch begins.
    const policies = catalogRetention(kind).map((policy) => {
      if (policy.keep === 'for-ever' || !policy.beforeDelete) return policy;
      const { beforeDelete } = policy;
      return {
        ...policy,
        beforeDelete: async (...[trx, ids]: Parameters<typeof beforeDelete>) => {
          switching = engagement().record(pack.packKey, 'dislike', viewer);
          await beforeDelete(trx, ids);
        },
      };
    });

    const { wrong } = await watchDuring(retention(policies).run('interactions'));
    expect(switching).toBeDefined();
    await switching;

    await engagement().record(pack.packKey, 'dislike', viewer);

    expect(wrong).toEqual([]);
    expect(await differences()).toEqual([]);
    const left = await database.knex('sticker_pack_interaction_event').where({ pack_id: pack.id }).pluck('interaction');
    expect(left).toEqual(['dislike']);
  });

  it.each([11, 777_777])(
    'are archived totals + event log = daily counts at every moment, and what was counted at the end (seed %i)',
    async (seed) => {
      const packs: Pack[] = [];
      for (let count = 0; count < 3; count += 1) packs.push(await addPack(database, [await addSticker(database)]));
      const expected = new Map(packs.map(({ id }) => [id, { open: 0, like: 0, dislike: 0, download: 0, version: 0 }]));
      const random = randomNumbers(seed);
      const pick = <T>(list: readonly T[], next = random): T => list[Math.floor(next() * list.length)] as T;
      const manifests: string[] = [];
      // At the beginning of a half-hour, so that no window ends before the test does.
      const toWindowMs = windowMs - (Date.now() % windowMs);
      const real = Date.now.bind(Date);
      jest.spyOn(Date, 'now').mockImplementation(() => real() + toWindowMs);

      /** One viewer after the other from one address: what each of them changes is known beforehand. */
      async function viewAll(number: number, round: number, next: () => number): Promise<void> {
        const counting = engagement();
        const standing = new Set<string>();
        for (let step = 0; step < stepsPerRound; step += 1) {
          const pack = pick(packs, next);
          const interaction = pick(interactions, next);
          const viewer = `viewer-${round}-${number}-${Math.floor(next() * 3)}`;
          const place = (of: Interaction): string => `${pack.id} ${viewer} ${of}`;
          const counts = expected.get(pack.id);
          if (counts && !standing.has(place(interaction))) {
            const opposite = interaction === 'like' ? 'dislike' : interaction === 'dislike' ? 'like' : null;
            if (opposite && standing.delete(place(opposite))) counts[opposite] -= 1;
            standing.add(place(interaction));
            counts[interaction] += 1;
            counts.version += 1;
          }
          await counting.record(pack.packKey, interaction, { key: viewer, address: `10.${round}.${number}.1` });
        }
      }

      async function keepArchiving(next: () => number, restoreShare: number): Promise<void> {
        for (let count = 0; count < 3; count += 1) {
          const [run] = await retention().run('interactions');
          manifests.push(...(run?.archives ?? []));
          if (manifests.length > 0 && next() < restoreShare) await retention().restore(pick(manifests, next));
        }
      }

      for (let round = 0; round < rounds; round += 1) {
        const seeds = Array.from({ length: viewersAtOnce + 2 }, () => 1 + Math.floor(random() * 1e6));
        const { looks, wrong } = await watchDuring(
          Promise.all([
            ...seeds.slice(2).map((one, number) => viewAll(number, round, randomNumbers(one))),
            // Two at once, of whom one also restores.
            ...seeds.slice(0, 2).map((one, index) => keepArchiving(randomNumbers(one), index * 0.7)),
          ]),
        );
        expect({ round, wrong }).toEqual({ round, wrong: [] });
        expect(looks).toBeGreaterThan(1);
        await letDaysPass(daysPerRound);
      }

      expect(manifests.length).toBeGreaterThan(0);
      for (const { id } of packs) {
        const row = await database
          .knex('sticker_pack_engagement')
          .where({ pack_id: id })
          .first<Record<string, number>>(...interactions.map((one) => `${one}_count as ${one}`), 'version');
        expect(row).toEqual(expected.get(id));
        const events = await database.knex('domain_event_outbox').where({ aggregate_id: id }).pluck('id');
        expect(events).toHaveLength(row.version ?? 0);
      }
      expect(await differences()).toEqual([]);
    },
    120_000,
  );
});
