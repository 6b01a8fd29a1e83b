/**
 * A private database that the tools of this system can dump and restore. PostgreSQL's refuse servers that are newer than
 * themselves, and the server of the test run is newer than what distributions have: so it is a server of the tools' own release,
 * which shows as well that the product runs on that.
 */
import { locateMariadbClient, locatePostgresRelease, startEmbeddedPostgres } from '@omnizap/embedded';
import { createTestDatabase, type TestDatabase, type TestDatabaseKind } from '@omnizap/testkit';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

export type DatabaseWithTools = {
  database: TestDatabase;
  /** For PATH. Empty: this system has no such tools, and they cannot be fetched; never so when CI is set. */
  toolDirs: string[];
};

const cacheDir = path.resolve(import.meta.dirname, '../../.cache/database-tools');

export async function openDatabaseWithTools(kind: TestDatabaseKind): Promise<DatabaseWithTools> {
  const log = (line: string): void => console.info(`tools to back up ${kind}: ${line}`);
  const release = await locatePostgresRelease({ cacheDir, log });
  const client = kind === 'mysql' ? await locateMariadbClient({ cacheDir, log }) : null;
  if (release === null || (kind === 'mysql' && client === null)) {
    if (!['', '0', 'false'].includes((process.env.CI ?? '').toLowerCase()))
      throw new Error(`The tools to back up ${kind} are required when CI is set.`);
    return { database: await createTestDatabase(kind), toolDirs: [] };
  }
  if (client !== null) return { database: await createTestDatabase(kind), toolDirs: [client.binDir, release.binDir] };

  const folder = await mkdtemp(path.join(tmpdir(), 'omnizap-postgres-'));
  const server = await startEmbeddedPostgres({ dataDir: folder, durable: false, release });
  const database: TestDatabase = {
    kind,
    databaseUrl: server.url,
    queueUrl: server.url,
    async drop() {
      await server.stop({ hurry: true });
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  return { database, toolDirs: [release.binDir] };
}
