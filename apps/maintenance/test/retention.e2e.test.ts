import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { retentionPolicies } from '@omnizap/catalog';
import { createLogger, createRetention } from '@omnizap/runtime';
import { startFleet, testDatabaseKinds, waitFor, type Fleet } from '@omnizap/testkit';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

const daysAgo = (days: number): Date => new Date(Date.now() - days * 86_400_000);
const packId = '00000000-0000-7000-8000-000000000001';

describe.each(testDatabaseKinds())('the maintenance process on %s', (kind) => {
  let fleet: Fleet;
  let archiveDir: string;

  beforeAll(async () => {
    archiveDir = await mkdtemp(path.join(tmpdir(), 'maintenance-'));
    fleet = await startFleet(kind, { processes: ['api'], env: { ARCHIVE_DIR: archiveDir } });
  });
  afterAll(async () => {
    await fleet.stop();
    await rm(archiveDir, { recursive: true, force: true });
  });

  it('removes what is too old while it does everything else, also when the first leader is killed at it', async () => {
    const { knex } = fleet.database;
    const event = { event_type: 'TOLD', aggregate_type: 'thing', aggregate_id: 'a', payload: '{}', shard: 1 };
    const old = { ...event, status: 'completed', created_at: daysAgo(9), processed_at: daysAgo(9) };
    for (let batch = 0; batch < 50; batch += 1)
      await knex('domain_event_outbox').insert(Array.from({ length: 1_000 }, () => old));
    await knex('domain_event_outbox').insert([event, { ...old, processed_at: daysAgo(1) }]);
    await knex('sticker_pack').insert({
      id: packId,
      pack_key: 'old-pack',
      owner_id: 'owner',
      name: 'Old',
      publisher: 'Somebody',
      tags: '[]',
    });
    const hash = 'a'.repeat(64);
    await knex('sticker_pack_interaction_event').insert(
      [200, 190, 170].map((days, index) => ({
        pack_id: packId,
        interaction: 'like',
        viewer_hash: hash,
        address_hash: hash,
        window_number: index,
        created_at: daysAgo(days),
      })),
    );
    const left = async (): Promise<number> => (await knex('domain_event_outbox').pluck('id')).length;

    const first = await fleet.start('maintenance');
    await waitFor(async () => (await left()) < 50_002, { timeoutMs: 30_000, intervalMs: 5 });
    await fleet.kill(first);
    const leader = await fleet.start('maintenance');
    await waitFor(async () => (await left()) === 2, { timeoutMs: 60_000 });
    await waitFor(async () => (await knex('sticker_pack_interaction_event').pluck('id')).length === 1, {
      timeoutMs: 30_000,
    });

    expect(await knex('sticker_pack_interaction_total')).toEqual([
      { pack_id: packId, interaction: 'like', archived_count: 2 },
    ]);
    const metrics = await waitFor(
      async () => {
        const text = await (await fetch(`${leader.url}/metrics`)).text();
        return /last_success_timestamp_seconds\{policy="interactions"\} 1/.test(text) && text;
      },
      { timeoutMs: 20_000 },
    );
    expect(metrics).toContain('omnizap_retention_removed_rows_total{policy="interactions"}');
    const retention = createRetention(
      { database: fleet.database, log: createLogger({ level: 'silent', format: 'json', process: 'test' }) },
      { policies: retentionPolicies(kind), archiveDir },
    );
    const names = await readdir(path.join(archiveDir, 'interactions'));
    for (const name of names.filter((file) => file.endsWith('.manifest.json')))
      await retention.restore(path.join('interactions', name), { into: 'interactions_again' });
    expect(await knex('interactions_again').orderBy('id').pluck('window_number')).toEqual([0, 1]);
  });
});
