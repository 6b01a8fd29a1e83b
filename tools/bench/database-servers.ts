/** PostgreSQL and, where one can be had, MariaDB, to be filled with much and thrown away: commits are not waited for. */
import path from 'node:path';
import { locateMariadb, startEmbeddedPostgres, startMariadb } from '@omnizap/embedded';
import { connectDatabase } from '@omnizap/runtime';
import type { BenchContext } from './bench-types.ts';

export type DatabaseServer = {
  name: string;
  /** Makes a database of that name and returns its URL. */
  createDatabase: (name: string) => Promise<string>;
};

const bufferPoolBytes = 2 ** 30;

/** They are stopped after the bench. The queue's database is in the first of them, always: `queueUrl`. */
export async function startDatabaseServers(
  context: BenchContext,
): Promise<{ servers: DatabaseServer[]; queueUrl: string }> {
  const postgres = await startEmbeddedPostgres({
    dataDir: path.join(context.folder, 'postgres'),
    durable: false,
    signal: context.signal,
  });
  context.cleanUp(() => postgres.stop({ hurry: true }));
  const createDatabase = async (name: string): Promise<string> => {
    const system = connectDatabase(postgres.url, { poolMax: 1 });
    await system.knex.raw(`CREATE DATABASE ${name}`);
    await system.close();
    return new URL(`/${name}`, postgres.url).href;
  };
  const mariadb = await startServerOfMysql(context);
  return {
    servers: [{ name: 'PostgreSQL', createDatabase }, ...(mariadb ? [mariadb] : [])],
    queueUrl: postgres.url,
  };
}

/** Null: there is no MariaDB here. */
async function startServerOfMysql(context: BenchContext): Promise<DatabaseServer | null> {
  const installation = await locateMariadb({
    cacheDir: path.join(context.root, '.cache', 'mariadb'),
    log: (line) => context.say(`MariaDB: ${line}`),
  });
  if (installation === null) return null;
  const server = await startMariadb({
    installation,
    dataDir: path.join(context.folder, 'mariadb'),
    signal: context.signal,
  });
  context.cleanUp(() => server.stop({ hurry: true }));
  const createDatabase = async (name: string): Promise<string> => {
    const system = connectDatabase(new URL('/mysql', server.url).href, { poolMax: 1 });
    // That of a test server would make the filling, not what is measured, take an hour.
    await system.knex.raw(`SET GLOBAL innodb_buffer_pool_size = ${bufferPoolBytes}`);
    await system.knex.raw(`CREATE DATABASE ${name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`);
    await system.close();
    return new URL(`/${name}`, server.url).href;
  };
  return { name: 'MariaDB', createDatabase };
}
