/** What a run begins with: databases, their schema, the fleet's settings, somebody to own packs. */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { spawnProcess } from '@omnizap/testkit';
import { withDatabase } from './database-server.ts';
import type { DatabaseServer } from './database-server.ts';
import type { Fleet } from './fleet.ts';
import { createHttpClient } from './http-client.ts';
import type { Owner } from './load.ts';
import { connectSql } from './sql.ts';
import type { DatabaseKind } from './sql.ts';

const projectRoot = path.resolve(import.meta.dirname, '../..');
const ownerCount = 4;
const sweepCadenceMs = 2_000;

export async function createDatabases(
  servers: { catalogue: DatabaseServer; queue: DatabaseServer },
  kind: DatabaseKind,
  steps: (() => Promise<void>)[],
): Promise<{ catalogueUrl: string; queueUrl: string }> {
  const name = `chaos_${randomBytes(6).toString('hex')}`;
  const queueUrl = withDatabase(servers.queue.url(), name);
  const create = async (server: DatabaseServer, adminDatabase: string, create: string, drop: string): Promise<void> => {
    const sql = connectSql(withDatabase(server.url(), adminDatabase));
    await sql.query(create);
    steps.push(async () => {
      await sql.query(drop).finally(async () => await sql.close());
    });
  };
  await create(servers.queue, 'postgres', `CREATE DATABASE ${name}`, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  if (kind === 'postgres') return { catalogueUrl: queueUrl, queueUrl };
  await create(
    servers.catalogue,
    'mysql',
    `CREATE DATABASE ${name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
    `DROP DATABASE IF EXISTS ${name}`,
  );
  return { catalogueUrl: withDatabase(servers.catalogue.url(), name), queueUrl };
}

export function environment(dataDir: string, adminToken: string): Record<string, string> {
  return {
    STICKER_DATA_DIR: dataDir,
    ADMIN_TOKEN: adminToken,
    // The load is one client's.
    STICKER_RATE_LIMIT_WRITES_PER_MINUTE: '0',
    STICKER_RATE_LIMIT_UPLOADS_PER_MINUTE: '0',
    STICKER_RATE_LIMIT_COUNTS_PER_MINUTE: '0',
    LOG_FORMAT: 'json',
    // Each viewer of the load comes from an address of its own.
    TRUST_PROXY_HOPS: '1',
    STICKER_WORKER_CLASSIFICATION_CADENCE_MS: String(sweepCadenceMs),
    STICKER_WORKER_CURATION_CADENCE_MS: String(sweepCadenceMs),
    STICKER_WORKER_REBUILD_CADENCE_MS: String(sweepCadenceMs),
    NODE_COMPILE_CACHE: path.join(projectRoot, '.cache', 'node'),
  };
}

export async function migrate(env: Record<string, string>): Promise<void> {
  const migration = await spawnProcess('tools/migrate.ts', ['up'], env, { waitForReady: false });
  const { code } = await migration.exited;
  if (code !== 0) throw new Error(`The migrations failed: ${migration.output()}`);
}

/** The control file is named in the module's address, as one process's environment is that of all of its kind. */
export function clockModule(controlFile: string): string {
  const module = new URL('shift-clock.ts', import.meta.url);
  module.searchParams.set('control', controlFile);
  return module.href;
}

export async function createOwners(fleet: Fleet, adminToken: string, seed: number): Promise<Owner[]> {
  const client = createHttpClient();
  const owners: Owner[] = [];
  for (let index = 1; index <= ownerCount; index += 1) {
    const ownerId = `chaos-${seed}-owner-${index}`;
    const { status, body } = await client.send(`${fleet.apiUrls()[0] ?? ''}/api/admin/api-keys`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${adminToken}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ owner_id: ownerId, scopes: ['catalog:write'] }),
    });
    if (status !== 201) throw new Error(`No API key for the load: ${status} ${JSON.stringify(body)}`);
    owners.push({ ownerId, key: (body as { data: { key: string } }).data.key });
  }
  client.close();
  return owners;
}
