/** What one full ranking generation costs with so many packs: the price that the refresh interval multiplies. */
import { createRankingPublisher } from '@omnizap/catalog';
import { connectDatabase, createLogger, createMetrics, createWakeups } from '@omnizap/runtime';
import type { BenchFleet } from './bench-fleet.ts';
import type { Measurement } from './bench-types.ts';

const packCount = 20_000;
const ageDecayDays = 45;
const fillerId = 'bench-filler';

/** Fills the fleet's catalogue for that time; its own maintenance process stands still meanwhile. */
export async function measurePublication(fleet: BenchFleet, signal: AbortSignal): Promise<Measurement[]> {
  await fleet.stop('maintenance');
  await fillPacks(fleet);
  signal.throwIfAborted();
  const database = connectDatabase(fleet.databaseUrl, { poolMax: 1, applicationName: 'bench' });
  const log = createLogger({ level: 'silent', format: 'json', process: 'bench' });
  const publisher = createRankingPublisher(
    {
      ...{ database, log, wakeups: createWakeups({ queueUrl: fleet.databaseUrl, log }) },
      metrics: createMetrics({ version: '0', release: 'stable', process: 'bench' }),
    },
    { refreshIntervalMs: 1, ageDecayDays, mayPublish: () => true },
  );
  try {
    const before = { own: process.cpuUsage(), database: (await fleet.cpuSeconds([])).database };
    const startedAt = performance.now();
    await publisher.pass();
    const tookMs = performance.now() - startedAt;
    const { user, system } = process.cpuUsage(before.own);
    const databaseSeconds = (await fleet.cpuSeconds([])).database - before.database;
    const [stored] = await fleet.query<{ rows: number; bytes: number }>(
      `SELECT COUNT(*)::int AS rows, SUM(LENGTH(pack_ids))::int AS bytes FROM ranking_generation_chunk
        WHERE generation = (SELECT MAX(generation) FROM ranking_generation)`,
    );
    const label = `one generation of ${packCount} packs`;
    return [
      { name: `${label}: time`, unit: 'ms', value: tookMs },
      { name: `${label}: processor of the publisher`, unit: 'ms', value: (user + system) / 1_000 },
      { name: `${label}: processor of PostgreSQL`, unit: 'ms', value: databaseSeconds * 1_000 },
      { name: `${label}: rows written`, unit: '', value: stored?.rows ?? NaN },
      { name: `${label}: bytes of ids`, unit: 'B', value: stored?.bytes ?? NaN },
    ];
  } finally {
    await database.close();
    if (!signal.aborted) {
      await fleet.query('DELETE FROM sticker_pack WHERE owner_id = $1', [fillerId]);
      await fleet.start('maintenance');
    }
  }
}

async function fillPacks(fleet: BenchFleet): Promise<void> {
  const id = `('00000000-0000-7000-8000-' || LPAD(n::text, 12, '0'))::uuid`;
  const from = `FROM generate_series(1, ${packCount}) AS n`;
  await fleet.query(
    `INSERT INTO sticker_pack (id, pack_key, owner_id, name, publisher, visibility, status, tags)
     SELECT ${id}, 'filled-' || n, '${fillerId}', 'Pack ' || n, 'Bench', 'public', 'published', '[]' ${from}`,
  );
  await fleet.query(
    `INSERT INTO sticker_pack_engagement (pack_id, like_count, open_count, opens_day, opens_week)
     SELECT ${id}, n % 97, n % 89, n % 7, n % 31 ${from}`,
  );
  await fleet.query(
    `INSERT INTO sticker_pack_score_snapshot (pack_id, source_version, pack_score, quality_score, engagement_score,
       diversity_score, cohesion_score, confidence_score, duplicate_share, nsfw_level, is_listed, is_animated,
       is_whatsapp_ready, sticker_count, categories, labels, engagement_version)
     SELECT ${id}, 1, (n % 1009) / 1009.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0, 'safe', 1, 0, 1, 3, '[]', '[]', 0 ${from}`,
  );
}
