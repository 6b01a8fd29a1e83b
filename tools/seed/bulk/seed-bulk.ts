/**
 * A made-up catalogue of any size, straight into the tables. It is written pack by pack in whole transactions and goes on where
 * another run stopped; it prefers leaving a catalogue alone over adding to one that somebody uses.
 */
import path from 'node:path';
import {
  AppError,
  connectDatabase,
  createLongProgress,
  missingMigrations,
  type Config,
  type Database,
} from '@omnizap/runtime';
import { createDiskStore } from '@omnizap/storage';
import type { Output } from '../demo-progress.ts';
import type { BulkOptions } from './bulk-options.ts';
import { createPackDescriber } from './describe-pack.ts';
import { makePicturePool } from './picture-pool.ts';
import { createPackIds, planPack } from './plan-packs.ts';
import { writePacks, writeThemes } from './write-packs.ts';

const filledTables = [
  ...['sticker_asset', 'sticker_asset_classification', 'sticker_asset_derivative', 'sticker_pack', 'sticker_pack_item'],
  ...['sticker_pack_engagement', 'sticker_pack_interaction_total', 'sticker_pack_score_snapshot', 'sticker_pack_term'],
  'work_state',
];

export type BulkContext = {
  config: Config;
  output: Output;
  signal: AbortSignal;
  /** About 100,000 rows unless given: a second or two, which is also how long Ctrl-C takes. */
  packsPerTransaction?: number;
};

/**
 * @throws AppError `configuration-invalid` when the catalogue is not one that may be filled; the signal's reason when it is aborted
 */
export async function seedBulk(
  options: BulkOptions,
  { config, output, signal, packsPerTransaction = 400 }: BulkContext,
): Promise<void> {
  // Temporary tables belong to a connection.
  const database = connectDatabase(config.DATABASE_URL, { poolMax: 1, applicationName: 'omnizap seed' });
  try {
    const { packs: total, seed, stickersPerPack } = options;
    const already = await findEarlierPacks(database, options);
    const progress = createLongProgress(output, { label: 'Seed', things: 'packs', already });
    if (already >= total) {
      progress.say(`Seed: the ${total.toLocaleString('en-US')} packs are already there.`);
      return;
    }
    const startedAt = performance.now();
    const store = createDiskStore(path.join(config.STICKER_DATA_DIR, 'stickers'));
    progress.say(already === 0 ? 'Seed: drawing the pictures' : `Seed: going on after pack ${already}`);
    const pool = await makePicturePool(store, signal);
    const describer = createPackDescriber(pool, options);
    const context = { seed, stickersPerPack, pool, describer, now: new Date() };
    await writeThemes(database, pool);
    for (let done = already; done < total;) {
      signal.throwIfAborted();
      const count = Math.min(packsPerTransaction, total - done);
      const packs = Array.from({ length: count }, (_, index) => {
        const number = done + index + 1;
        return { number, pack: planPack(seed, number) };
      });
      await writePacks(database, packs, context);
      done += count;
      progress.at(done, total);
    }
    progress.say('Seed: reading the tables for the planner');
    for (const table of filledTables)
      await database.knex.raw(database.kind === 'postgres' ? `VACUUM ANALYZE ${table}` : `ANALYZE TABLE ${table}`);
    const seconds = Math.round((performance.now() - startedAt) / 1_000);
    const stickers = (total - already) * stickersPerPack;
    progress.say(
      `Seed: ${(total - already).toLocaleString('en-US')} packs with ${stickers.toLocaleString('en-US')} stickers in ${seconds} s.` +
        ' They are listed with the next generation of the ranking.',
    );
  } finally {
    await database.close();
  }
}

/** How many packs of this seed are there. */
async function findEarlierPacks(database: Database, { seed, stickersPerPack, isForced }: BulkOptions): Promise<number> {
  const missing = await missingMigrations(database);
  if (missing.length > 0)
    throw new AppError(
      'configuration-invalid',
      `The catalogue's tables are not up to date: run npm run db:migrate first.`,
    );
  const { knex } = database;
  const { range, numberOf } = createPackIds(seed);
  const own = await knex('sticker_pack')
    .whereBetween('id', range)
    .orderBy('id', 'desc')
    .first<{ id: string } | undefined>('id');
  const foreign = await knex('sticker_pack').whereNotBetween('id', range).first<{ id: string } | undefined>('id');
  if (foreign && !isForced)
    throw new AppError(
      'configuration-invalid',
      'The catalogue has packs that are not of this seed. Add --yes to put made-up ones beside them.',
    );
  if (!own) return 0;
  const [items] = await knex('sticker_pack_item').where({ pack_id: own.id }).count<{ count: number }[]>({ count: '*' });
  if (items?.count !== stickersPerPack)
    throw new AppError(
      'configuration-invalid',
      `The packs of seed ${seed} have ${items?.count ?? 0} stickers each: add --stickers-per-pack ${items?.count ?? 0}, or take another --seed.`,
    );
  return numberOf(own.id);
}
