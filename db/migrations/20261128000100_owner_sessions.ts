/** Browsers in which an owner signed in with an API key. */
import type { Knex } from 'knex';
import { createTables, dropTables, type Table } from '@omnizap/runtime';

const tables: Table[] = [
  {
    // A hash only: who reads the table cannot sign in with it.
    name: 'owner_session',
    columns: {
      // For retention, which walks along it.
      id: { type: 'serial' },
      token_sha256: { type: 'sha256' },
      key_id: { type: 'ascii(32)' },
      created_at: { type: 'instant', default: 'now' },
      expires_at: { type: 'instant' },
    },
    primaryKey: ['id'],
    unique: [{ name: 'owner_session_token_key', columns: ['token_sha256'] }],
    indexes: [{ name: 'owner_session_key_idx', columns: ['key_id', 'id'] }],
    foreignKeys: [
      { name: 'owner_session_key_fk', columns: ['key_id'], references: 'api_key (key_id)', onDelete: 'cascade' },
    ],
  },
];

export async function up(knex: Knex): Promise<void> {
  await createTables(knex, tables);
}

export async function down(knex: Knex): Promise<void> {
  await dropTables(knex, tables);
}
