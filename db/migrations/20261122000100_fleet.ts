/** What every process needs: leases, flags, credentials, audit. */
import type { Knex } from 'knex';
import { createTables, dropTables, type Table } from '@omnizap/runtime';

const tables: Table[] = [
  {
    // Renewed every 2 s by each process, so it holds nothing else and has no index on the hot column.
    name: 'process_lease',
    columns: { process_id: { type: 'uuid' }, expires_at: { type: 'instant' } },
    primaryKey: ['process_id'],
  },
  {
    // Written only when its content changes.
    name: 'process_status',
    columns: { process_id: { type: 'uuid' }, process_name: { type: 'ascii(64)' }, status: { type: 'json' } },
    primaryKey: ['process_id'],
  },
  {
    name: 'held_lease',
    columns: { name: { type: 'ascii(64)' }, process_id: { type: 'uuid', nullable: true }, epoch: { type: 'bigint' } },
    primaryKey: ['name'],
  },
  {
    name: 'feature_flag',
    columns: {
      flag_name: { type: 'ascii(120)' },
      is_enabled: { type: 'smallint', default: 0 },
      rollout_percent: { type: 'integer', default: 0 },
      description: { type: 'varchar(500)', default: "''" },
      updated_by: { type: 'varchar(120)', default: "'system'" },
      updated_at: { type: 'instant', default: 'now' },
    },
    primaryKey: ['flag_name'],
    checks: [
      { name: 'feature_flag_is_enabled_check', expression: 'is_enabled IN (0, 1)' },
      { name: 'feature_flag_rollout_percent_check', expression: 'rollout_percent BETWEEN 0 AND 100' },
    ],
  },
  {
    name: 'api_key',
    columns: {
      key_id: { type: 'ascii(32)' },
      owner_id: { type: 'varchar(128)' },
      secret_sha256: { type: 'sha256' },
      scopes: { type: 'json' },
      created_at: { type: 'instant', default: 'now' },
      revoked_at: { type: 'instant', nullable: true },
    },
    primaryKey: ['key_id'],
    indexes: [{ name: 'api_key_owner_id_idx', columns: ['owner_id', 'created_at'] }],
  },
  {
    // Random values that all processes share, such as the salt of viewer hashes; made at first use.
    name: 'app_secret',
    columns: {
      name: { type: 'ascii(64)' },
      value: { type: 'ascii(128)' },
      created_at: { type: 'instant', default: 'now' },
    },
    primaryKey: ['name'],
  },
  {
    name: 'admin_action_audit',
    columns: {
      id: { type: 'serial' },
      actor: { type: 'varchar(128)' },
      action: { type: 'ascii(64)' },
      target_type: { type: 'ascii(64)' },
      target_id: { type: 'varchar(160)' },
      reason: { type: 'varchar(500)', nullable: true },
      state_before: { type: 'json', nullable: true },
      state_after: { type: 'json', nullable: true },
      request_id: { type: 'ascii(128)', nullable: true },
      created_at: { type: 'instant', default: 'now' },
    },
    primaryKey: ['id'],
    indexes: [{ name: 'admin_action_audit_target_idx', columns: ['target_type', 'target_id', 'id'] }],
  },
];

const flags = [
  ['enable_ranking_snapshot_read', 1, 100, 'Lists are answered from the published ranking generation.'],
  ['enable_domain_event_outbox', 1, 100, 'Changes are announced through the outbox; the rest is found by sweeps.'],
  [
    'enable_worker_dedicated_processes',
    1,
    100,
    'Tasks are worked by the dedicated processes; the rest by the inline poller.',
  ],
  ['enable_worker_canary_release', 0, 0, 'Share of the dedicated work for workers started with WORKER_RELEASE=canary.'],
  [
    'enable_object_storage_delivery',
    0,
    0,
    'Sticker bytes are delivered from object storage; the rest from local disk.',
  ],
] as const;

export async function up(knex: Knex): Promise<void> {
  await createTables(knex, tables);
  const rows = flags.map(([flag_name, is_enabled, rollout_percent, description]) => ({
    flag_name,
    is_enabled,
    rollout_percent,
    description,
  }));
  await knex('feature_flag').insert(rows).onConflict('flag_name').ignore();
}

export async function down(knex: Knex): Promise<void> {
  await dropTables(knex, tables);
}
