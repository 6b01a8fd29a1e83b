import { createLeaseStore, type Database } from '@omnizap/runtime';
import { randomUUID } from 'node:crypto';

/** Takes the named leases from whoever holds them, for an hour, as a process would that nobody sees. Returns its process id. */
export async function holdLeases(database: Database, names: string[]): Promise<string> {
  const leases = createLeaseStore(database);
  const processId = randomUUID();
  await leases.renew(processId, 3_600_000);
  await leases.declare(names);
  for (const { name, epoch } of await leases.holders(names)) await leases.take(processId, name, epoch);
  return processId;
}
