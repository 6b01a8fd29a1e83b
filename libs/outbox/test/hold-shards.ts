/** A relay's right to shards, as its membership would have got it, valid for an hour. */
import { createLeaseStore, type Database } from '@omnizap/runtime';
import { randomUUID } from 'node:crypto';
import { shardCount, shardLeaseName } from '../src/event.ts';
import type { Hold } from '../src/outbox-store.ts';

export const allShards = Array.from({ length: shardCount }, (_, shard) => shard);

/** Takes the shards from whoever holds them. */
export async function holdShards(database: Database, shards = allShards, token = 'token'): Promise<Hold> {
  const leases = createLeaseStore(database);
  const processId = randomUUID();
  await leases.renew(processId, 3_600_000);
  const names = shards.map(shardLeaseName);
  await leases.declare(names);
  for (const { name, epoch } of await leases.holders(names)) await leases.take(processId, name, epoch);
  return { processId, token, shards };
}
