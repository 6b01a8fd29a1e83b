import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectDatabase, migrateUp, type Database } from '@omnizap/runtime';
import { createTestDatabase, testDatabaseKinds, type TestDatabase } from '@omnizap/testkit';
import { addPack, addSticker } from '../test/builders.ts';
import { createMarketplaceActivity } from './marketplace-activity.ts';
import { readActivity } from './marketplace-activity-store.ts';

const dayMs = 86_400_000;
const day = (ago: number): string => new Date(Date.now() - ago * dayMs).toISOString().slice(0, 10);

describe.each(testDatabaseKinds())('what happened lately on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl);
    await migrateUp(database);
  });
  afterAll(async () => {
    await database.close();
    await test.drop();
  });

  async function addListedPack(publishedDaysAgo: number, isListed = true): Promise<string> {
    const { id } = await addPack(database);
    await database
      .knex('sticker_pack')
      .where({ id })
      .update({ published_at: new Date(Date.now() - publishedDaysAgo * dayMs) });
    await database.knex('sticker_pack_score_snapshot').insert({
      ...{ pack_id: id, source_version: 1, pack_score: 1, quality_score: 1, engagement_score: 0, diversity_score: 0 },
      ...{ cohesion_score: 0, confidence_score: 0, duplicate_share: 0, nsfw_level: 'safe', is_animated: 0 },
      ...{ is_whatsapp_ready: 0, sticker_count: 1, categories: '[]', labels: '[]', engagement_version: 0 },
      is_listed: isListed ? 1 : 0,
    });
    return id;
  }

  const count = (packId: string, ago: number, interaction: string, total: number): Promise<unknown> =>
    database.knex('sticker_pack_interaction_day').insert({ pack_id: packId, interaction, day: day(ago), count: total });

  it('adds up each of the last days over listed packs, those without anything included', async () => {
    const [one, two, hidden] = [await addListedPack(0), await addListedPack(3), await addListedPack(0, false)];
    await addListedPack(30);
    await count(one, 0, 'open', 5);
    await count(two, 0, 'open', 7);
    await count(two, 6, 'like', 2);
    await count(two, 7, 'like', 100);
    await count(one, 2, 'download', 3);
    await count(hidden, 0, 'open', 1_000);

    const days = await readActivity(database, 7);

    expect(days.map((entry) => entry.day)).toEqual([6, 5, 4, 3, 2, 1, 0].map(day));
    const none = { published: 0, open: 0, like: 0, dislike: 0, download: 0 };
    expect(days.map(({ day: _, ...counts }) => counts)).toEqual([
      { ...none, like: 2 },
      none,
      none,
      { ...none, published: 1 },
      { ...none, download: 3 },
      none,
      { ...none, published: 1, open: 12 },
    ]);
  });

  it('counts stickers that are in no pack, and adds up once for many who ask', async () => {
    await addSticker(database);
    await addSticker(database);
    await addPack(database, [await addSticker(database)]);
    const activity = createMarketplaceActivity({ database });
    let queries = 0;
    const seen = (): void => void (queries += 1);
    database.knex.on('query', seen);

    const answers = await Promise.all(Array.from({ length: 20 }, () => activity.read()));
    await activity.read();
    database.knex.removeListener('query', seen);

    expect(answers.map((answer) => answer.stickersWithoutPack)).toEqual(answers.map(() => 2));
    expect(queries).toBe(4);
  });
});
