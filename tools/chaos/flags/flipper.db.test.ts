import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectDatabase, migrateUp } from '@omnizap/runtime';
import { createTestDatabase, testDatabaseKinds } from '@omnizap/testkit';
import type { TestDatabase } from '@omnizap/testkit';
import { createRandom } from '../random.ts';
import { connectSql } from '../sql.ts';
import type { Sql } from '../sql.ts';
import { flagNames } from './flip.ts';
import type { Flip } from './flip.ts';
import { createFlipper } from './flipper.ts';
import type { Flipper } from './flipper.ts';

describe.each(testDatabaseKinds())('the flipper on %s', (kind) => {
  let test: TestDatabase;
  let catalogue: Sql;
  let flipper: Flipper;
  const heard: Flip[] = [];

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    const database = connectDatabase(test.databaseUrl);
    await migrateUp(database);
    await database.close();
    catalogue = connectSql(test.databaseUrl);
    flipper = createFlipper({
      catalogue,
      catalogueUrl: test.databaseUrl,
      queueUrl: test.queueUrl,
      onFlip: (flip) => heard.push(flip),
      note: () => undefined,
    });
  });
  afterAll(async () => {
    await flipper.close();
    await catalogue.close();
    await test.drop();
  });

  const rows = async () =>
    new Map(
      (
        await catalogue.query<{ flag_name: string; is_enabled: number; rollout_percent: number }>(
          'SELECT flag_name, is_enabled, rollout_percent FROM feature_flag',
        )
      ).map((row) => [
        row.flag_name,
        { isEnabled: Number(row.is_enabled) === 1, percent: Number(row.rollout_percent) },
      ]),
    );

  it('changes any flag in each of the three ways, and tells exactly what it did', async () => {
    const random = createRandom(7);
    for (let left = 60; left > 0; left -= 1) {
      const { flags, state, isCertain } = await flipper.flip(random);
      expect(isCertain).toBe(true);
      const now = await rows();
      for (const flag of flags) expect(now.get(flag)).toEqual(state);
    }

    expect(new Set(heard.map(({ how }) => how))).toEqual(new Set(['sql', 'store', 'emergency']));
    expect(new Set(heard.flatMap(({ flags }) => flags))).toEqual(new Set(flagNames));
    expect(flipper.flips).toEqual(heard);
  });

  it('ends with the same state for the same seed, whatever was before', async () => {
    await flipper.settle(createRandom(9));
    const end = await rows();
    await flipper.flip(createRandom(1));
    await flipper.settle(createRandom(9));

    expect(await rows()).toEqual(end);
    for (const flag of flagNames) expect(end.get(flag)?.isEnabled).toBe(true);
  });
});
