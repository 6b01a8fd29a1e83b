/** Tables of a catalogue that has run for long: mostly finished rows, and a few that wait. Filled by the server itself. */
import { rowsOf, type Database } from '@omnizap/runtime';

export type TableSizes = {
  /** Finished within the last six days, behind those that are due to leave. */
  finishedEvents: number;
  /** Finished nine days ago. */
  dueEvents: number;
  waitingEvents: number;
  failedEvents: number;
  workStates: number;
  dueWorkStates: number;
  interactions: number;
};

export const filledPack = { id: '00000000-0000-7000-8000-000000000001', packKey: 'filled-pack' };
const rowsPerStatement = 100_000;
const dayS = 86_400;

export async function fillTables(database: Database, sizes: TableSizes, signal?: AbortSignal): Promise<void> {
  const { kind, knex } = database;
  const ago = (seconds: string): string =>
    kind === 'postgres'
      ? `(CURRENT_TIMESTAMP(3) - ${seconds} * interval '1 second')`
      : `(CURRENT_TIMESTAMP(3) - INTERVAL ${seconds} SECOND)`;
  const text = (number: string): string => (kind === 'postgres' ? `(${number})::text` : `CAST(${number} AS CHAR)`);
  const uuid = (number: string): string => {
    const id = `CONCAT('00000000-0000-7000-8000-', LPAD(${text(number)}, 12, '0'))`;
    return kind === 'postgres' ? `(${id})::uuid` : id;
  };

  /** Inserts `count` rows; `values` are SQL of `n`, which counts from 0. */
  async function fill(table: string, count: number, values: Record<string, string>): Promise<void> {
    for (let start = 0; start < count; start += rowsPerStatement) {
      signal?.throwIfAborted();
      const rows = Math.min(rowsPerStatement, count - start);
      await knex.raw(
        `INSERT INTO ${table} (${Object.keys(values).join(', ')})
         WITH digits AS (SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4
                         UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9),
              numbers AS (SELECT ${start} + a.d * 10000 + b.d * 1000 + c.d * 100 + d.d * 10 + e.d AS n
                            FROM digits a CROSS JOIN digits b CROSS JOIN digits c CROSS JOIN digits d CROSS JOIN digits e)
         SELECT ${Object.values(values).join(', ')} FROM numbers WHERE n < ${start + rows} ORDER BY n`,
      );
    }
  }

  const event = {
    event_type: "'PACK_UPDATED'",
    aggregate_type: "'sticker_pack'",
    aggregate_id: `CONCAT('pack-', ${text('n % 20000')})`,
    payload: kind === 'postgres' ? `'{"pack_id":"x"}'::jsonb` : `'{"pack_id":"x"}'`,
    // The higher shards have nothing that waits.
    shard: 'n % 8',
  };
  const finished = (seconds: string): Record<string, string> => ({
    ...event,
    shard: 'n % 16',
    status: "'completed'",
    attempts: '1',
    created_at: ago(seconds),
    processed_at: ago(seconds),
  });
  await fill('domain_event_outbox', sizes.dueEvents, finished(String(9 * dayS)));
  const spread = `FLOOR(${6 * dayS} * (1 - n / ${sizes.finishedEvents}.0))`;
  await fill('domain_event_outbox', sizes.finishedEvents, finished(spread));
  await fill('domain_event_outbox', sizes.failedEvents, { ...event, status: "'failed'", available_at: ago('1') });
  await fill('domain_event_outbox', sizes.waitingEvents, event);

  const subject = { task_type: "'rebuild'", wanted_at: ago('3600') };
  await fill('work_state', sizes.workStates, { ...subject, subject_id: text('n'), done_version: '1' });
  await fill('work_state', sizes.dueWorkStates, { ...subject, subject_id: `CONCAT('due-', ${text('n')})` });

  await fill('sticker_pack', 50, {
    id: uuid('n'),
    pack_key: `CASE WHEN n = 1 THEN '${filledPack.packKey}' ELSE CONCAT('filled-', ${text('n')}) END`,
    owner_id: "'owner'",
    name: "'Filled'",
    publisher: "'Somebody'",
    tags: "'[]'" + (kind === 'postgres' ? '::jsonb' : ''),
    visibility: "'public'",
    status: "'published'",
  });
  await fill('sticker_pack_engagement', 50, { pack_id: uuid('n') });
  await fill('sticker_pack_interaction_event', sizes.interactions, {
    pack_id: uuid('n % 50'),
    interaction: "'open'",
    viewer_hash: `LPAD(${text('n')}, 64, '0')`,
    address_hash: `LPAD(${text('n % 1000')}, 64, 'a')`,
    window_number: 'n',
    created_at: ago(`FLOOR(${100 * dayS} * (1 - n / ${Math.max(1, sizes.interactions)}.0))`),
  });
  for (const table of [
    'domain_event_outbox',
    'work_state',
    'sticker_pack',
    'sticker_pack_engagement',
    'sticker_pack_interaction_event',
  ])
    rowsOf(await knex.raw(kind === 'postgres' ? `ANALYZE ${table}` : `ANALYZE TABLE ${table}`));
}
