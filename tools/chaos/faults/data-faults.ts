/** What happens to data: delivered twice, wiped, poisoned, cleared away. */
import { open, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Fault } from './fault.ts';

const duplicateShare = 0.2;
const mostDuplicates = 200;
const retentionBatch = 500;
/** Poison gets fewer attempts than usual, so that a run sees it die. */
const poisonAttempts = 3;

export const queueWipeFault: Fault = {
  name: 'queue-wipe',
  summary: 'deletes every task and every pending event: sweeps have to find the work from the tables',
  reach: 'data',
  async inject(context) {
    await context.queue.query('DELETE FROM pgboss.job');
    await context.catalogue.query("DELETE FROM domain_event_outbox WHERE status IN ('pending', 'failed')");
    context.note({ wiped: ['tasks', 'pending events'] });
  },
};

export const duplicateDeliveryFault: Fault = {
  name: 'duplicate-delivery',
  summary: 'relays a fifth of the finished events again and runs a fifth of the finished tasks again',
  reach: 'data',
  async inject(context) {
    const { catalogue, queue } = context;
    const finished = await catalogue.query<{ id: number }>(
      "SELECT id FROM domain_event_outbox WHERE status = 'completed' ORDER BY id DESC LIMIT 2000",
    );
    const again = finished.filter((_, index) => index % Math.round(1 / duplicateShare) === 0).slice(0, mostDuplicates);
    if (again.length > 0)
      await catalogue.query(
        `UPDATE domain_event_outbox SET status = 'pending', processed_at = NULL WHERE status = 'completed' AND id IN (${again.map(({ id }) => Number(id)).join(', ')})`,
      );
    const tasks = await queue.query(
      `INSERT INTO pgboss.job (name, data, priority, singleton_key, policy, retry_limit, retry_delay, retry_backoff, retry_delay_max,
                               expire_seconds, deletion_seconds, heartbeat_seconds, dead_letter)
       SELECT name, data, priority, singleton_key, policy, retry_limit, retry_delay, retry_backoff, retry_delay_max,
              expire_seconds, deletion_seconds, heartbeat_seconds, dead_letter
         FROM (SELECT * FROM pgboss.job WHERE state = 'completed' AND name <> 'dead-letter' ORDER BY completed_on DESC LIMIT 1000) finished
        WHERE random() < ${duplicateShare}
       ON CONFLICT DO NOTHING RETURNING id`,
    );
    context.note({ events_again: again.length, tasks_again: tasks.length });
  },
};

export const retentionFault: Fault = {
  name: 'retention',
  summary: 'deletes finished events and tasks in batches while the fleet works, as retention does',
  reach: 'data',
  async inject(context, random) {
    const { catalogue, queue } = context;
    let events = 0;
    for (let batch = random.between(2, 4); batch > 0; batch -= 1) {
      const old = await catalogue.query<{ id: number }>(
        `SELECT id FROM domain_event_outbox WHERE status = 'completed' ORDER BY id LIMIT ${retentionBatch}`,
      );
      if (old.length > 0)
        await catalogue.query(
          `DELETE FROM domain_event_outbox WHERE status = 'completed' AND id IN (${old.map(({ id }) => Number(id)).join(', ')})`,
        );
      events += old.length;
      await queue.query(
        "DELETE FROM pgboss.job WHERE state = 'completed' AND completed_on < now() - interval '2 seconds'",
      );
      await context.wait(500);
    }
    context.note({ deleted_events: events });
  },
};

const poisonPayloads = [
  ['STICKER_ASSET_CREATED', { asset_id: 42 }],
  ['PACK_UPDATED', { pack_id: null, action: 'created' }],
  ['STICKER_PAINTED', { asset_id: 'of a later release' }],
  ['ENGAGEMENT_RECORDED', ['not', 'an', 'object']],
] as const;

export const poisonFault: Fault = {
  name: 'poison',
  summary: 'events that cannot be read or come from a later release, and a sticker file that is damaged on disk',
  reach: 'data',
  async inject(context, random) {
    const { catalogue, facts, load } = context;
    const [eventType, payload] = random.pick(poisonPayloads);
    const packKeys = load.livePacks().slice(-5);
    if (packKeys.length > 0) {
      const packKey = random.pick(packKeys);
      // The pack's row is locked first, as whoever appends an event has to: ids are in commit order only then.
      const isPostgres = context.kind === 'postgres';
      const marker = `chaos-poison-${facts.poisonEvents.length}-${Date.now()}`;
      await catalogue.query(
        `INSERT INTO domain_event_outbox (event_type, aggregate_type, aggregate_id, payload, max_attempts, shard, idempotency_key)
         SELECT ?, 'sticker_pack', o.aggregate_id, ${isPostgres ? 'CAST(? AS jsonb)' : '?'}, ${poisonAttempts}, o.shard, ?
           FROM domain_event_outbox o JOIN sticker_pack p ON ${isPostgres ? 'p.id::text' : 'p.id'} = o.aggregate_id
          WHERE p.pack_key = ? AND o.aggregate_type = 'sticker_pack' ORDER BY o.id DESC LIMIT 1
            ${isPostgres ? 'FOR NO KEY UPDATE OF p' : 'FOR UPDATE'}`,
        [eventType, JSON.stringify(payload), marker, packKey],
      );
      const rows = await catalogue.query<{ id: number }>(
        'SELECT id FROM domain_event_outbox WHERE idempotency_key = ?',
        [marker],
      );
      for (const { id } of rows) facts.poisonEvents.push(Number(id));
      context.note({ poison_event: rows[0]?.id ?? null, event_type: eventType, pack_key: packKey });
    }
    const [sha256] = load.recentUploads();
    if (sha256 !== undefined) {
      facts.damagedContent.push(sha256);
      context.note({ damaged_file: sha256 });
      await cutInHalf(path.join(context.dataDir, 'stickers', 'original', sha256.slice(0, 2), sha256));
    }
  },
};

async function cutInHalf(file: string): Promise<void> {
  const { size } = await stat(file);
  const handle = await open(file, 'r+');
  try {
    await handle.truncate(Math.floor(size / 2));
  } finally {
    await handle.close();
  }
}
