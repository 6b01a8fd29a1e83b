/** What happens to databases: stopped without a goodbye, away for a while, cutting off their clients, out of connections. */
import mysql from 'mysql2/promise';
import pg from 'pg';
import type { Random } from '../random.ts';
import { harnessName } from '../sql.ts';
import type { Sql } from '../sql.ts';
import type { DatabaseServer } from '../database-server.ts';
import type { Fault, FaultContext } from './fault.ts';

const terminationIntervalMs = 200;
/** The outage that the fleet must survive by contract; shorter where the run is. */
const longOutageMs = 60_000;
const longRunSeconds = 120;
const heldConnections = 400;
const heldAtOnce = 20;

function pickServer(context: FaultContext, random: Random): DatabaseServer {
  return random.pick([context.servers.catalogue, context.servers.queue]);
}

async function stopFor(context: FaultContext, server: DatabaseServer, forMs: number): Promise<void> {
  context.note({ stopped: server.name, for_ms: forMs });
  try {
    await server.stopAtOnce();
    await context.wait(forMs);
  } finally {
    await server.start();
    context.note({ answers_again: server.name });
  }
}

export const databaseStopFault: Fault = {
  name: 'database-stop',
  summary: 'immediate stop of a database server (no checkpoint, no goodbye) and a start right after it',
  reach: 'database',
  inject: async (context, random) => await stopFor(context, pickServer(context, random), 0),
};

export const databaseOutageFault: Fault = {
  name: 'database-outage',
  summary: 'a database server is away for 5 to 8 s (for 60 s in runs of two minutes and more)',
  reach: 'database',
  async inject(context, random) {
    const forMs = context.durationSeconds >= longRunSeconds ? longOutageMs : random.between(5_000, 8_000);
    await stopFor(context, pickServer(context, random), forMs);
  },
};

export const backendTerminationFault: Fault = {
  name: 'backend-termination',
  summary: 'for 3 to 5 s, every 200 ms, the database ends one to three of its client connections',
  reach: 'database',
  async inject(context, random) {
    const endsAt = performance.now() + random.between(3_000, 5_000);
    let ended = 0;
    while (performance.now() < endsAt) {
      const sql = random.pick([context.catalogue, context.queue]);
      ended += await endConnections(sql, random.between(1, 3));
      await context.wait(terminationIntervalMs);
    }
    context.note({ ended_connections: ended });
  },
};

async function endConnections(sql: Sql, count: number): Promise<number> {
  if (sql.kind === 'postgres') {
    const ended = await sql.query(
      `SELECT pg_terminate_backend(pid) FROM
         (SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name <> ? AND pid <> pg_backend_pid()
           ORDER BY random() LIMIT ${count}) victims`,
      [harnessName],
    );
    return ended.length;
  }
  const sessions = await sql.query<{ id: number }>(
    `SELECT id FROM information_schema.processlist
      WHERE db = DATABASE() AND id NOT IN (${[0, ...sql.sessions()].join(', ')}) ORDER BY RAND() LIMIT ${count}`,
  );
  for (const { id } of sessions) await sql.query(`KILL ${Number(id)}`).catch(() => undefined);
  return sessions.length;
}

export const poolExhaustionFault: Fault = {
  name: 'pool-exhaustion',
  summary: 'for 4 to 6 s strangers take all connections that a database has left, and hold locks on packs',
  reach: 'database',
  async inject(context, random) {
    const forMs = random.between(4_000, 6_000);
    const isCatalogue = random.chance(0.5);
    const url = isCatalogue ? context.catalogueUrl : context.queueUrl;
    const held: { end: () => Promise<void> }[] = [];
    try {
      const endsAt = performance.now() + forMs;
      for (let isLeft = true; isLeft && held.length < heldConnections && performance.now() < endsAt;) {
        const batch = await Promise.all(
          Array.from({ length: heldAtOnce }, () => holdConnection(url).catch(() => null)),
        );
        held.push(...batch.filter((connection) => connection !== null));
        isLeft = !batch.includes(null);
      }
      context.note({ held_connections: held.length, database: isCatalogue ? 'catalogue' : 'queue', for_ms: forMs });
      const leftMs = Math.max(0, endsAt - performance.now());
      await Promise.all([lockPacks(context, random, forMs / 2).catch(() => undefined), context.wait(leftMs)]);
    } finally {
      await Promise.allSettled(held.map((connection) => connection.end()));
    }
  },
};

async function holdConnection(url: string): Promise<{ end: () => Promise<void> }> {
  if (url.startsWith('mysql:')) {
    const connection = await mysql.createConnection(url);
    connection.on('error', () => undefined);
    return connection;
  }
  const client = new pg.Client({
    connectionString: url,
    application_name: harnessName,
    connectionTimeoutMillis: 2_000,
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** A session that keeps rows locked while it does nothing, like a person with an open console. */
async function lockPacks(context: FaultContext, random: Random, forMs: number): Promise<void> {
  const count = random.between(1, 5);
  const text = `SELECT id FROM sticker_pack ORDER BY id DESC LIMIT ${count} FOR UPDATE`;
  if (context.kind === 'mariadb') {
    const connection = await mysql.createConnection(context.catalogueUrl);
    connection.on('error', () => undefined);
    try {
      await connection.query('START TRANSACTION');
      await connection.query(text);
      await context.wait(forMs);
      await connection.query('ROLLBACK');
    } finally {
      connection.destroy();
    }
    return;
  }
  // Through the pool this would need one connection for all three statements.
  await context.catalogue.query(
    `DO $$ BEGIN PERFORM id FROM (${text}) locked; PERFORM pg_sleep(${(forMs / 1_000).toFixed(2)}); END $$`,
  );
}
