/** A relay's right to shards, as its membership would have got it, valid for an hour. */
import type { Database } from '@omnizap/runtime';
import { holdLeases } from '@omnizap/testkit';
import { shardCount, shardLeaseName } from '../src/event.ts';
import type { Hold } from '../src/outbox-store.ts';

export const allShards = Array.from({ length: shardCount }, (_, shard) => shard);

/** Takes the shards from whoever holds them. */
export async function holdShards(database: Database, shards = allShards, token = 'token'): Promise<Hold> {
  return { processId: await holdLeases(database, shards.map(shardLeaseName)), token, shards };
}
