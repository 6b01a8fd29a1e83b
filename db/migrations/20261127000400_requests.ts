/** What API processes know together about requests: how many a client made, and which were carried out already. */
import type { Knex } from 'knex';
import { createTables, dropTables, type Table } from '@omnizap/runtime';

const tables: Table[] = [
  {
    // One row per client and kind of request, counted up within its window. `id` is for the retention, which walks by it.
    name: 'rate_limit',
    columns: {
      limit_key: { type: 'ascii(160)' },
      id: { type: 'serial' },
      window_number: { type: 'bigint' },
      points: { type: 'integer' },
      created_at: { type: 'instant', default: 'now' },
      seen_at: { type: 'instant', default: 'now' },
    },
    primaryKey: ['limit_key'],
    unique: [{ name: 'rate_limit_id_key', columns: ['id'] }],
  },
  {
    // Hashes only: a key is the client's, and a fingerprint covers what it sent.
    name: 'idempotency_key',
    columns: {
      id: { type: 'serial' },
      key_sha256: { type: 'sha256' },
      fingerprint_sha256: { type: 'sha256' },
      state: { type: 'ascii(10)', default: "'claimed'" },
      claim_id: { type: 'uuid' },
      process_id: { type: 'uuid', nullable: true },
      claimed_at: { type: 'instant', default: 'now' },
      outcome: { type: 'text', nullable: true },
      status: { type: 'smallint', nullable: true },
      headers: { type: 'text', nullable: true },
      body: { type: 'text', nullable: true },
      created_at: { type: 'instant', default: 'now' },
    },
    primaryKey: ['id'],
    unique: [{ name: 'idempotency_key_key', columns: ['key_sha256'] }],
    checks: [{ name: 'idempotency_key_state_check', expression: "state IN ('claimed', 'written', 'answered')" }],
  },
];

export async function up(knex: Knex): Promise<void> {
  await createTables(knex, tables);
}

export async function down(knex: Knex): Promise<void> {
  await dropTables(knex, tables);
}
