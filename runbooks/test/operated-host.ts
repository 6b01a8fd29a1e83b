/** What tests of pages do on a host beside the operator: upload, and look at flags, queues and processes. */
import { connectDatabase, type Database } from '@omnizap/runtime';
import {
  ask,
  createCatalogueClient,
  drawPng,
  openRunbook,
  waitFor,
  type CatalogueClient,
  type Runbook,
  type TestDatabaseKind,
} from '@omnizap/testkit';
import { randomBytes } from 'node:crypto';
import { readlink } from 'node:fs/promises';
import pg from 'pg';
import { openPm2Host, type Pm2Host } from '../../deploy/pm2/test/pm2-host.ts';
import { openDatabaseWithTools } from './database-with-tools.ts';

export type OperatedHost = {
  kind: TestDatabaseKind;
  host: Pm2Host;
  /** The catalogue. */
  database: Database;
  /** The programs that back up and restore this catalogue are on PATH. */
  hasTools: boolean;
  client: () => Promise<{ owner: CatalogueClient; packKey: string }>;
  open: (page: string, standIns?: Record<string, string>) => Promise<Runbook>;
  /** Names of the processes that pm2 calls online. */
  running: () => Promise<string[]>;
  /** The folders that the processes run in. */
  folders: () => Promise<string[]>;
  setFlag: (flagName: string, isEnabled: 0 | 1, percent: number) => Promise<void>;
  /** The percentage at which each flag is on, by its name without `enable_`. */
  flags: () => Promise<Record<string, number>>;
  inQueue: <T>(sql: string, values?: unknown[]) => Promise<T[]>;
  /** Puts new stickers into the one pack of this host; the first call needs the API to have started. */
  upload: (count: number) => Promise<string[]>;
  waitUntilReady: (stickerIds: string[]) => Promise<void>;
  /** The lanes in which so many new stickers are classified. */
  lanesOfNew: (count: number) => Promise<string[]>;
  close: () => Promise<void>;
};

export const patience = { timeoutMs: 90_000, intervalMs: 200 };

export const adminToken = 'the-admin-token-of-a-test';
/** Sweeps find within a second what nobody announced. */
const cadences = Object.fromEntries(
  ['CLASSIFICATION', 'CURATION', 'REBUILD'].map((kind) => [`STICKER_WORKER_${kind}_CADENCE_MS`, '1000']),
);

/** The key of a new owner, of an API that was told `adminToken`. */
export async function createKey(apiUrl: string): Promise<string> {
  const body = { owner_id: `owner-${randomBytes(6).toString('hex')}`, scopes: ['catalog:write'] };
  const answer = await ask(`${apiUrl}/api/admin/api-keys`, { method: 'POST', key: adminToken, body });
  return answer.json<{ data: { key: string } }>().data.key;
}

export async function openOperatedHost(kind: TestDatabaseKind): Promise<OperatedHost> {
  const { database: own, toolDirs } = await openDatabaseWithTools(kind);
  const PATH = [...toolDirs, process.env.PATH ?? ''].join(':');
  const host = await openPm2Host(own, { ADMIN_TOKEN: adminToken, ...cadences, PATH });
  const database = connectDatabase(host.database.databaseUrl, { poolMax: 2, applicationName: 'omnizap test' });
  const apiUrl = `http://127.0.0.1:${host.env.PORT}`;
  const opened: Runbook[] = [];
  let pictures = 0;
  let shop: Promise<{ owner: CatalogueClient; packKey: string }> | undefined;

  async function openShop(): Promise<{ owner: CatalogueClient; packKey: string }> {
    const owner = createCatalogueClient(apiUrl, await createKey(apiUrl));
    return { owner, packKey: await owner.createPack({ name: 'Procedures' }) };
  }

  async function upload(count: number): Promise<string[]> {
    const { owner, packKey } = await (shop ??= openShop());
    const stickers = Array.from({ length: count }, () => ({ bytes: drawPng((pictures += 1)) }));
    return await owner.addStickers(packKey, stickers);
  }

  async function waitUntilReady(stickerIds: string[]): Promise<void> {
    const { owner, packKey } = await (shop ??= openShop());
    await waitFor(
      async () => {
        const { stickers } = await owner.pack(packKey);
        return stickers.every(({ sticker_id, status }) => status === 'ready' || !stickerIds.includes(sticker_id));
      },
      { ...patience, description: 'the new stickers to be ready' },
    );
  }

  async function inQueue<T>(sql: string, values: unknown[] = []): Promise<T[]> {
    const client = new pg.Client({ connectionString: host.database.queueUrl });
    await client.connect();
    try {
      return (await client.query(sql, values)).rows as T[];
    } finally {
      await client.end();
    }
  }

  return {
    kind,
    host,
    database,
    hasTools: toolDirs.length > 0,
    client: () => (shop ??= openShop()),
    async open(name, standIns = {}) {
      const page = await openRunbook(name, { env: host.env, database: () => database, kind, standIns });
      opened.push(page);
      return page;
    },
    running: async () =>
      (await host.listed())
        .filter(({ pm2_env }) => pm2_env.status === 'online')
        .map(({ name }) => name)
        .toSorted(),
    async folders() {
      const pids = (await host.listed()).map(({ pid }) => pid);
      return [...new Set(await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/cwd`))))].toSorted();
    },
    async setFlag(flagName, isEnabled, percent) {
      const change = { is_enabled: isEnabled, rollout_percent: percent, updated_by: 'ops' };
      await database.knex('feature_flag').where({ flag_name: flagName }).update(change);
    },
    async flags() {
      const rows = (await database.knex('feature_flag').select()) as {
        flag_name: string;
        is_enabled: number;
        rollout_percent: number;
      }[];
      return Object.fromEntries(
        rows.map((row) => [row.flag_name.replace(/^enable_/, ''), row.is_enabled * row.rollout_percent]),
      );
    },
    inQueue,
    upload,
    waitUntilReady,
    async lanesOfNew(count) {
      const ids = await upload(count);
      await waitUntilReady(ids);
      const rows = await inQueue<{ name: string }>(
        `SELECT DISTINCT name FROM pgboss.job
          WHERE name LIKE 'classification.%' AND state = 'completed' AND data->>'subject_id' = ANY($1)`,
        [ids],
      );
      return rows.map(({ name }) => name.replace('classification.', '')).toSorted();
    },
    async close() {
      await Promise.all(opened.map((page) => page.close()));
      await database.close();
      await host.close();
    },
  };
}
