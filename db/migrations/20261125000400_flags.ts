/**
 * Flags that are evaluated: a version for whoever changes one on the strength of what he saw, the values that were audited last
 * (a statement typed by hand changes only the others), and whole percentages only: an integer column rounds 12.5 to 13, silently.
 */
import type { Knex } from 'knex';
import { addColumns, createTables, dropColumns, dropTables, rowsOf, type Table } from '@omnizap/runtime';

const wholeCheck = 'feature_flag_rollout_percent_whole_check';

const tables: Table[] = [
  {
    name: 'task_pause',
    columns: {
      task_type: { type: 'ascii(64)' },
      paused_by: { type: 'varchar(120)' },
      reason: { type: 'varchar(500)' },
      paused_at: { type: 'instant', default: 'now' },
    },
    primaryKey: ['task_type'],
  },
];

function isMysql(knex: Knex): boolean {
  return (knex.client as { config: { client: string } }).config.client === 'mysql2';
}

/** Of this database: MariaDB and MySQL list the constraints of all that are on the server. */
async function hasCheck(knex: Knex): Promise<boolean> {
  const schema = isMysql(knex) ? 'DATABASE()' : 'current_schema()';
  const found: unknown = await knex.raw(
    `SELECT 1 AS present FROM information_schema.table_constraints
      WHERE table_schema = ${schema} AND table_name = ? AND constraint_name = ?`,
    ['feature_flag', wholeCheck],
  );
  return rowsOf(found).length > 0;
}

async function setPercentType(knex: Knex, type: 'double' | 'integer'): Promise<void> {
  await knex.raw(
    isMysql(knex)
      ? `ALTER TABLE feature_flag MODIFY COLUMN rollout_percent ${type} NOT NULL DEFAULT 0`
      : `ALTER TABLE feature_flag ALTER COLUMN rollout_percent TYPE ${type === 'double' ? 'double precision' : type}`,
  );
}

export async function up(knex: Knex): Promise<void> {
  await addColumns(knex, 'feature_flag', {
    version: { type: 'integer', default: 1 },
    audited_is_enabled: { type: 'smallint', nullable: true },
    audited_percent: { type: 'double', nullable: true },
  });
  await setPercentType(knex, 'double');
  if (!(await hasCheck(knex)))
    await knex.raw(
      `ALTER TABLE feature_flag ADD CONSTRAINT ${wholeCheck} CHECK (rollout_percent = FLOOR(rollout_percent))`,
    );
  // What a flag has when auditing begins is where its history starts, not a change.
  await knex('feature_flag')
    .whereNull('audited_is_enabled')
    .update({ audited_is_enabled: knex.ref('is_enabled'), audited_percent: knex.ref('rollout_percent') });
  await createTables(knex, tables);
}

export async function down(knex: Knex): Promise<void> {
  await dropTables(knex, tables);
  if (!(await knex.schema.hasTable('feature_flag'))) return;
  if (await hasCheck(knex)) await knex.raw(`ALTER TABLE feature_flag DROP CONSTRAINT ${wholeCheck}`);
  await setPercentType(knex, 'integer');
  await dropColumns(knex, 'feature_flag', ['version', 'audited_is_enabled', 'audited_percent']);
}
