/** Everything that owners change packs with, on a private database and a private store. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { probeImage } from '@omnizap/imaging';
import {
  connectDatabase,
  createLogger,
  createWakeups,
  fromJsonColumn,
  migrateUp,
  type Database,
} from '@omnizap/runtime';
import { createDiskStore } from '@omnizap/storage';
import { createTestDatabase, drawPng, type TestDatabaseKind } from '@omnizap/testkit';
import { createOwnerTurns } from '../src/owner-turns.ts';
import type { StickerUpload } from '../src/uploads.ts';
import { flags } from './builders.ts';

export const log = createLogger({ level: 'silent', format: 'json', process: 'test' });

export type EventRow = { type: string; id: string; payload: Record<string, unknown> };
export type Intake = Awaited<ReturnType<typeof openIntake>>;

export async function openIntake(kind: TestDatabaseKind, maxItems: number) {
  const test = await createTestDatabase(kind);
  const database: Database = connectDatabase(test.databaseUrl, { poolMax: 8 });
  await migrateUp(database);
  const folder = await mkdtemp(join(tmpdir(), 'intake-'));
  const store = createDiskStore(folder);
  await store.prepare();
  const wakeups = createWakeups({ queueUrl: test.queueUrl, log });

  return {
    database,
    store,
    deps: { database, flags, wakeups, store, maxItems, turns: createOwnerTurns(database) },

    /** A small picture as the API receives it; the same seed gives the same bytes. */
    async uploadOf(seed: number, emojis: string[] = ['🎉']): Promise<StickerUpload> {
      const bytes = drawPng(seed, 16);
      const temporaryPath = store.temporaryPath();
      await writeFile(temporaryPath, bytes);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      return { temporaryPath, sha256, probe: await probeImage(temporaryPath), emojis, accessibilityLabel: null };
    },

    /** The events since the last call, oldest first. */
    takeEvents: eventTaker(database),

    async close(): Promise<void> {
      await database.close();
      await test.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function eventTaker({ knex }: Database): () => Promise<EventRow[]> {
  let lastId = 0;
  return async () => {
    const rows = await knex('domain_event_outbox')
      .where('id', '>', lastId)
      .orderBy('id')
      .select<{ id: number; event_type: string; aggregate_id: string; payload: unknown }[]>(
        'id',
        'event_type',
        'aggregate_id',
        'payload',
      );
    lastId = rows.at(-1)?.id ?? lastId;
    return rows.map((row) => ({
      type: row.event_type,
      id: row.aggregate_id,
      payload: fromJsonColumn(row.payload) as Record<string, unknown>,
    }));
  };
}
