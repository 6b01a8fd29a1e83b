/** SIGKILL costs a lease, never work: shards of a dead relay and tasks of a dead worker are taken over by others. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createCatalogueClient, drawPng, startFleet, testDatabaseKinds, waitFor } from '@omnizap/testkit';
import type { CatalogueClient, Fleet, SpawnedProcess } from '@omnizap/testkit';

/** What the contract allows between the death of a relay and its shards being relayed again. */
const takeoverMs = 10_000;
const patience = { timeoutMs: 60_000, intervalMs: 50 };
const uploads = 30;

describe.each(testDatabaseKinds())('killed processes on %s', (kind) => {
  let fleet: Fleet;
  let own: CatalogueClient;
  let seed = 0;

  beforeAll(async () => {
    fleet = await startFleet(kind, { processes: ['api', 'relay', 'relay', 'worker-classification', 'maintenance'] });
    own = createCatalogueClient(fleet.apiUrl, (await fleet.createOwner()).key);
  }, 180_000);
  afterAll(async () => await fleet?.stop(), 60_000);

  async function upload(packKey: string): Promise<void> {
    seed += 1;
    const answer = await own.addSticker(packKey, { bytes: drawPng(seed, 64), emojis: ['🎲'] });
    expect(answer.status).toBe(202);
  }

  const countReady = async (packKey: string): Promise<number> =>
    (await own.pack(packKey)).stickers.filter((sticker) => sticker.status === 'ready').length;

  /** Process ids of who holds shards, with how many each. */
  async function shardsByPid(): Promise<Map<number, number>> {
    const { knex } = fleet.database;
    const holders: { process_id: string | null }[] = await knex('held_lease')
      .where('name', 'like', 'outbox-shard-%')
      .select('process_id');
    const statuses: { process_id: string; status: unknown }[] = await knex('process_status').select(
      'process_id',
      'status',
    );
    const pids = new Map(
      statuses.map(({ process_id: id, status }) => [
        id,
        (typeof status === 'string' ? JSON.parse(status) : status) as { pid: number },
      ]),
    );
    const shards = new Map<number, number>();
    for (const { process_id: id } of holders) {
      const pid = pids.get(id ?? '')?.pid ?? 0;
      shards.set(pid, (shards.get(pid) ?? 0) + 1);
    }
    return shards;
  }

  it('moves the shards of a killed relay within 10 s and relays every event', async () => {
    const relays = fleet
      .all()
      .filter(({ name }) => name === 'relay')
      .map(({ process }) => process);
    const [victim, survivor] = relays as [SpawnedProcess, SpawnedProcess];
    await waitFor(async () => {
      const shards = await shardsByPid();
      return shards.get(victim.pid) === 8 && shards.get(survivor.pid) === 8;
    }, patience);
    const packKey = await own.createPack({ name: 'Relayed' });
    for (let index = 0; index < uploads / 2; index += 1) await upload(packKey);

    await fleet.kill(victim);
    const killedAt = performance.now();
    for (let index = uploads / 2; index < uploads; index += 1) await upload(packKey);
    await waitFor(async () => (await shardsByPid()).get(survivor.pid) === 16, patience);
    expect(performance.now() - killedAt).toBeLessThan(takeoverMs);

    await waitFor(async () => (await countReady(packKey)) === uploads, patience);
    const { knex } = fleet.database;
    await waitFor(
      async () => !(await knex('domain_event_outbox').whereNot({ status: 'completed' }).first('id')),
      patience,
    );
    expect(await knex('domain_event_outbox_dlq').select('id')).toEqual([]);
    const created = await knex('domain_event_outbox')
      .where({ event_type: 'STICKER_ASSET_CREATED' })
      .distinct('aggregate_id');
    expect(created).toHaveLength(uploads);
  }, 180_000);

  it('has a new classification worker finish what a killed one was at', async () => {
    const packKey = await own.createPack({ name: 'Interrupted' });
    const uploadAll = async (): Promise<void> => {
      for (let index = 0; index < uploads; index += 1) await upload(packKey);
    };
    const killAtFirstReady = async (): Promise<void> => {
      await waitFor(async () => (await countReady(packKey)) > 0, { ...patience, intervalMs: 5 });
      await fleet.kill(fleet.process('worker-classification'));
    };

    await Promise.all([uploadAll(), killAtFirstReady()]);
    expect(await countReady(packKey)).toBeLessThan(uploads);
    await fleet.start('worker-classification');

    await waitFor(async () => (await countReady(packKey)) === uploads, {
      ...patience,
      description: 'all stickers to be ready',
    });
    const { knex } = fleet.database;
    await waitFor(
      async () =>
        !(await knex('work_state')
          .where({ is_due: 1 })
          .whereIn('task_type', ['classification', 'derivative'])
          .first('subject_id')),
      patience,
    );
    expect(await knex('sticker_worker_task_dlq').select('id')).toEqual([]);
  }, 180_000);
});
