/** Rollout runs, what operators ask of them, every decision with its samples, and the minute roll-up of what was sampled. */
import type { Knex } from 'knex';
import { createTables, dropTables, type Table } from '@omnizap/runtime';

const tables: Table[] = [
  {
    name: 'rollout_run',
    columns: {
      id: { type: 'serial' },
      plan_name: { type: 'ascii(64)' },
      // As it was when the run began: a file that changes meanwhile changes nothing.
      plan: { type: 'json' },
      state: { type: 'ascii(20)' },
      detail: { type: 'json' },
      baselines: { type: 'json' },
      // 1 while it runs, NULL afterwards: one run at a time, whoever starts it.
      active_slot: { type: 'smallint', nullable: true },
      version: { type: 'bigint', default: 1 },
      started_by: { type: 'varchar(120)' },
      reason: { type: 'varchar(500)' },
      started_at: { type: 'instant', default: 'now' },
      updated_at: { type: 'instant', default: 'now' },
      finished_at: { type: 'instant', nullable: true },
    },
    primaryKey: ['id'],
    unique: [{ name: 'rollout_run_active_slot_key', columns: ['active_slot'] }],
  },
  {
    name: 'rollout_decision',
    columns: {
      id: { type: 'serial' },
      run_id: { type: 'bigint' },
      // The version of the run that it led to.
      run_version: { type: 'bigint' },
      action: { type: 'ascii(20)' },
      state: { type: 'ascii(20)' },
      reason: { type: 'varchar(2000)' },
      // Everything that was looked at, and what was decided.
      input: { type: 'json' },
      decision: { type: 'json' },
      created_at: { type: 'instant', default: 'now' },
    },
    primaryKey: ['id'],
    indexes: [{ name: 'rollout_decision_run_idx', columns: ['run_id', 'id'] }],
  },
  {
    name: 'rollout_request',
    columns: {
      id: { type: 'serial' },
      kind: { type: 'ascii(20)' },
      plan_name: { type: 'ascii(64)', nullable: true },
      is_forced: { type: 'smallint', default: 0 },
      actor: { type: 'varchar(120)' },
      reason: { type: 'varchar(500)' },
      request_id: { type: 'ascii(128)', nullable: true },
      // NULL until somebody has answered it.
      is_accepted: { type: 'smallint', nullable: true },
      answer: { type: 'varchar(2000)', nullable: true },
      run_id: { type: 'bigint', nullable: true },
      created_at: { type: 'instant', default: 'now' },
      answered_at: { type: 'instant', nullable: true },
    },
    primaryKey: ['id'],
    indexes: [{ name: 'rollout_request_open_idx', columns: ['answered_at', 'id'] }],
  },
  {
    // A row: nothing is raised.
    name: 'rollout_freeze',
    columns: {
      name: { type: 'ascii(20)' },
      frozen_by: { type: 'varchar(120)' },
      reason: { type: 'varchar(500)' },
      until_at: { type: 'instant', nullable: true },
      created_at: { type: 'instant', default: 'now' },
    },
    primaryKey: ['name'],
  },
  {
    name: 'metric_minute',
    columns: {
      id: { type: 'serial' },
      minute_at: { type: 'instant' },
      metric: { type: 'ascii(100)' },
      labels: { type: 'ascii(255)' },
      value: { type: 'double' },
      low: { type: 'double', nullable: true },
      high: { type: 'double', nullable: true },
    },
    primaryKey: ['id'],
    // Of two leaders for a moment, one writes a minute.
    unique: [{ name: 'metric_minute_key', columns: ['metric', 'minute_at', 'labels'] }],
  },
];

export async function up(knex: Knex): Promise<void> {
  await createTables(knex, tables);
}

export async function down(knex: Knex): Promise<void> {
  await dropTables(knex, tables);
}
