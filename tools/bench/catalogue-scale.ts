/**
 * What a client waits for lists, searches, packs and pictures in a catalogue of 100,000 packs with 2 million stickers, against the
 * same in one of 1,000 packs. Both are asked in turn, request by request, by one client: what else the machine does meets both.
 */
import { mkdir } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import path from 'node:path';
import { connectDatabase, loadConfig, migrateUp } from '@omnizap/runtime';
import { spawnProcess } from '@omnizap/testkit';
import { z } from 'zod';
import { languages } from '../seed/bulk/bulk-words.ts';
import { createPackIds, planPack, type PlannedPack } from '../seed/bulk/plan-packs.ts';
import { seedBulk } from '../seed/bulk/seed-bulk.ts';
import { createSeededRandom } from '../simulation/seeded-random.ts';
import type { Bench, BenchContext, Measurement } from './bench-types.ts';
import { publishRanking } from './catalogue-queries.ts';
import { startDatabaseServers, type DatabaseServer } from './database-servers.ts';
import { percentile } from './statistics.ts';

const sizes = { small: 1_000, large: 100_000 };
const stickersPerPack = 20;
const seed = 1;
const requestsOfAKind = 300;
const pageSize = 24;
const pagesWalked = 30;
const readyTimeoutMs = 120_000;
const targetRatio = 1.5;

const words = languages.flatMap(({ nouns, adjectives, tags }) => [...nouns, ...adjectives, ...tags]);
const listPath = (query: Record<string, string>): string =>
  `/api/sticker-packs?${String(new URLSearchParams({ limit: String(pageSize), ...query }))}`;
const pageSchema = z.object({ pagination: z.object({ next_cursor: z.string().nullable() }) });

type Catalogue = {
  /** Milliseconds until the last byte of the answer. */
  ask: (path: string) => Promise<number>;
  listed: PlannedPack[];
  /** Of the most popular packs, page by page. */
  cursors: string[];
};
type Draw = (catalogue: Catalogue, random: () => number) => string;

/** What is asked, and whether it is then asked again at once. The same draws in both: words are the same, packs are those there are. */
const kinds: { name: string; isAskedAgain?: boolean; draw: Draw }[] = [
  {
    name: 'list',
    draw({ cursors }, random) {
      const sort = pick(['popular', 'popular', 'recent', 'trending'], random);
      return listPath(sort === 'popular' ? { sort, cursor: pick(cursors, random) } : { sort });
    },
  },
  { name: 'search', isAskedAgain: true, draw: ({ listed }, random) => listPath({ q: drawQuery(listed, random) }) },
  { name: 'detail', draw: ({ listed }, random) => `/api/sticker-packs/${pick(listed, random).packKey}` },
  {
    name: 'asset',
    draw({ listed }, random) {
      const { id, packKey } = pick(listed, random);
      const ids = createPackIds(seed);
      const sticker = ids.sticker(ids.numberOf(id), Math.floor(random() * stickersPerPack));
      return `/api/sticker-packs/${packKey}/stickers/${sticker}.webp`;
    },
  },
];

export const catalogueScaleBench: Bench = {
  name: 'catalogue-scale',
  summary: `Reads of ${sizes.large} packs with ${sizes.large * stickersPerPack} stickers against those of ${sizes.small}, on both databases.`,
  rounds: 3,
  isOnRequest: true,
  async prepare(context) {
    const { servers, queueUrl } = await startDatabaseServers(context);
    const pairs: { name: string; small: Catalogue; large: Catalogue }[] = [];
    for (const server of servers) {
      const open = (packs: number) => openCatalogue(context, { server, queueUrl, packs });
      pairs.push({ name: server.name, small: await open(sizes.small), large: await open(sizes.large) });
    }
    return async (round) => {
      const measurements: Measurement[] = [];
      for (const { name, small, large } of pairs)
        for (const { name: kind, isAskedAgain = false, draw } of kinds) {
          const waited = { small: [] as number[], large: [] as number[] };
          const again = { small: [] as number[], large: [] as number[] };
          const random = { small: createSeededRandom(round), large: createSeededRandom(round) };
          for (let turn = 0; turn < requestsOfAKind; turn += 1)
            for (const [size, catalogue] of Object.entries({ small, large }) as ['small' | 'large', Catalogue][]) {
              context.signal.throwIfAborted();
              const asked = draw(catalogue, random[size]);
              waited[size].push(await catalogue.ask(asked));
              if (isAskedAgain) again[size].push(await catalogue.ask(asked));
            }
          measurements.push(...figuresOf(`${name}: ${kind}`, waited));
          if (isAskedAgain) measurements.push(...figuresOf(`${name}: ${kind} again`, again));
        }
      return measurements;
    };
  },
};

function figuresOf(name: string, waited: { small: number[]; large: number[] }): Measurement[] {
  const [p95, p95Small] = [percentile(waited.large, 95), percentile(waited.small, 95)];
  return [
    { name: `${name}, p50`, unit: 'ms', value: percentile(waited.large, 50) },
    { name: `${name}, p95`, unit: 'ms', value: p95 },
    { name: `${name}, p95 of ${sizes.small} packs`, unit: 'ms', value: p95Small },
    {
      name: `${name}, p95 against ${sizes.small} packs`,
      unit: 'x',
      value: p95 / p95Small,
      target: { atMost: targetRatio },
    },
  ];
}

function drawQuery(listed: PlannedPack[], random: () => number): string {
  const pack = pick(listed, random);
  const draw = random();
  if (draw < 0.3) return pick(words, random);
  if (draw < 0.6) return `${pick(words, random)} ${pick(words, random)}`;
  if (draw < 0.8) return pack.publisher;
  return draw < 0.9 ? pack.companion : pack.name;
}

function pick<Item>(items: readonly Item[], random: () => number): Item {
  return items[Math.floor(random() * items.length)] as Item;
}

type CatalogueOptions = { server: DatabaseServer; queueUrl: string; packs: number };

/** Fills a database, publishes its ranking and starts an API process for it. */
async function openCatalogue(context: BenchContext, { server, queueUrl, packs }: CatalogueOptions): Promise<Catalogue> {
  const { folder, cleanUp, say, signal } = context;
  const databaseUrl = await server.createDatabase(`scale_${packs}`);
  const dataDir = path.join(folder, `${server.name}-${packs}`);
  await mkdir(dataDir);
  const env = { DATABASE_URL: databaseUrl, QUEUE_DATABASE_URL: queueUrl, STICKER_DATA_DIR: dataDir };
  const database = connectDatabase(databaseUrl, { applicationName: 'bench' });
  try {
    await migrateUp(database);
    say(`${server.name}: ${packs} packs with ${packs * stickersPerPack} stickers`);
    const output = { write: (text: string) => say(text.trimEnd()) };
    await seedBulk({ packs, stickersPerPack, seed, isForced: false }, { config: loadConfig(env), output, signal });
    await publishRanking(database, queueUrl);
  } finally {
    await database.close();
  }

  const starting = spawnProcess(
    'apps/api/main.ts',
    [],
    { ...env, PORT: '0', STICKER_RATE_LIMIT_READS_PER_MINUTE: '0' },
    { readyTimeoutMs },
  );
  cleanUp(async () => {
    const api = await starting.catch(() => null);
    await api?.stop();
  });
  const { url = '' } = await starting;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  cleanUp(async () => agent.destroy());
  const ask = async (asked: string): Promise<number> => (await read(url + asked, agent)).milliseconds;

  const cursors: string[] = [];
  let page = listPath({ sort: 'popular' });
  for (let walked = 0; walked < pagesWalked; walked += 1) {
    const { pagination } = pageSchema.parse(JSON.parse((await read(url + page, agent)).text));
    if (pagination.next_cursor === null) break;
    cursors.push(pagination.next_cursor);
    page = listPath({ sort: 'popular', cursor: pagination.next_cursor });
  }
  const listed = Array.from({ length: packs }, (_, index) => planPack(seed, index + 1)).filter(
    ({ visibility, status }) => visibility === 'public' && status === 'published',
  );
  return { ask, listed, cursors };
}

/** @throws Error when the answer is not 200 */
async function read(url: string, agent: Agent): Promise<{ milliseconds: number; text: string }> {
  const startedAt = performance.now();
  return await new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        if (response.statusCode === 200) resolve({ milliseconds: performance.now() - startedAt, text });
        else reject(new Error(`${url} was answered ${String(response.statusCode)}: ${text.slice(0, 200)}`));
      });
    }).on('error', reject);
  });
}
