/**
 * Clients of the stickers' bytes: a fixed number of connections, each asking again once it has its answer, all together no more often
 * than a bound, so that it is the bucket that is tested and not how many processors there are.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Fleet } from '../fleet.ts';
import type { HistoryFile } from '../history-file.ts';
import type { KnownFacts } from '../judge/known-facts.ts';
import type { Load } from '../load.ts';
import type { Random } from '../random.ts';
import type { Sql } from '../sql.ts';
import { createAssetClient } from './asset-client.ts';
import type { AssetClient, AssetTarget } from './asset-client.ts';
import type { AssetRecord, AssetWay, BreakerLook } from './asset-records.ts';

const connections = 200;
/** Of all connections together. */
const perSecond = 100;
/** Looks at what there is to ask for, and at what the API says of the bucket. */
const targetsIntervalMs = 1_000;
const lookIntervalMs = 250;
const lookTimeoutMs = 2_000;
const idleMs = 100;
/** A slow load may have deleted every pack that it published; the bucket is killed all the same then. */
const longestWaitMs = 20_000;
/** The newest ones: those are on their way into the bucket. */
const mostTargets = 400;
const ways: AssetWay[] = ['whole', 'whole', 'whole', 'part', 'known'];

export type AssetLoad = {
  records: AssetRecord[];
  looks: BreakerLook[];
  /** Several faults may have begun; each ends its own. Resolves when there is something to ask for, or has not been for long. */
  start: () => Promise<void>;
  stop: () => Promise<void>;
};

type Deps = {
  fleet: Fleet;
  catalogue: Sql;
  load: Load;
  facts: KnownFacts;
  history: HistoryFile;
  random: Random;
};

export function createAssetLoad({ fleet, catalogue, load, facts, history, random }: Deps): AssetLoad {
  /** By SHA-256. */
  const known = new Map<string, Buffer>();
  const records: AssetRecord[] = [];
  const looks: BreakerLook[] = [];
  let targets: AssetTarget[] = [];
  let isRunning = false;
  let running: Promise<unknown> = Promise.resolve();

  async function refreshTargets(): Promise<void> {
    while (isRunning) {
      const live = new Set(load.livePacks());
      // Without its database the harness knows no new ones.
      const found = await readTargets(catalogue).catch(() => targets);
      targets = found.filter(({ packKey }) => live.has(packKey)).slice(0, mostTargets);
      await delay(targetsIntervalMs);
    }
  }

  async function lookAtBreakers(): Promise<void> {
    while (isRunning) {
      await Promise.all(
        fleet.slots.map(async (slot) => {
          const process = slot.kind === 'api' ? slot.current() : null;
          if (!process?.ownUrl || process.isPaused) return;
          const look = await readBreaker(process.ownUrl);
          if (look !== null) looks.push({ pid: process.pid, ...look });
        }),
      );
      await delay(lookIntervalMs);
    }
  }

  async function connection(index: number): Promise<void> {
    const periodMs = (connections / perSecond) * 1_000;
    const client = createAssetClient(known);
    let dueAt = performance.now() + (index / connections) * periodMs;
    while (isRunning) {
      await delay(Math.max(0, dueAt - performance.now()));
      const target = targets.length === 0 ? undefined : random.pick(targets);
      const [baseUrl] = fleet.apiUrls();
      if (target === undefined || baseUrl === undefined) await delay(idleMs);
      else if (isRunning) await ask(client, baseUrl, target);
      dueAt = Math.max(dueAt + periodMs, performance.now());
    }
    client.close();
  }

  async function ask(client: AssetClient, baseUrl: string, target: AssetTarget): Promise<void> {
    const asked = await client.ask(baseUrl, target, random.pick(ways));
    const isExplained =
      !load.livePacks().includes(target.packKey) || facts.damagedContent.includes(target.originalSha256);
    const record = { ...asked, isExplained };
    records.push(record);
    if (record.problem !== null) history.write('asset', record);
  }

  return {
    records,
    looks,
    async start() {
      if (!isRunning) {
        isRunning = true;
        const clients = Array.from({ length: connections }, (_, index) => connection(index));
        running = Promise.all([refreshTargets(), lookAtBreakers(), ...clients]);
      }
      const deadline = performance.now() + longestWaitMs;
      while (isRunning && targets.length === 0 && performance.now() < deadline) await delay(idleMs);
    },
    async stop() {
      isRunning = false;
      await running;
    },
  };
}

/** By the tables, so that what comes is compared with what was made and not with what the API says of it. */
async function readTargets(catalogue: Sql): Promise<AssetTarget[]> {
  const rows = await catalogue.query<Record<string, string>>(
    `SELECT p.pack_key, a.id, a.sha256 AS original, d.variant, d.sha256
       FROM sticker_pack p JOIN sticker_pack_item i ON i.pack_id = p.id JOIN sticker_asset a ON a.id = i.asset_id
       JOIN sticker_asset_derivative d ON d.asset_id = a.id
      WHERE p.status = 'published' AND p.deleted_at IS NULL AND p.is_auto_pack = 0 AND a.status = 'ready'
      ORDER BY a.id DESC`,
  );
  return rows.map((row) => ({
    path: `/api/sticker-packs/${row.pack_key}/stickers/${row.id}.webp${row.variant === 'preview' ? '?variant=preview' : ''}`,
    packKey: row.pack_key ?? '',
    sha256: row.sha256 ?? '',
    originalSha256: row.original ?? '',
  }));
}

/** Null when it does not answer. */
async function readBreaker(ownUrl: string): Promise<Omit<BreakerLook, 'pid'> | null> {
  try {
    const response = await fetch(`${ownUrl}/metrics`, { signal: AbortSignal.timeout(lookTimeoutMs) });
    const text = await response.text();
    const usable = /^omnizap_object_storage_usable (\d)$/m.exec(text)?.[1];
    if (usable === undefined) return null;
    const answers = text.matchAll(
      /^omnizap_asset_delivery_total\{source="(?:bucket|redirect|cdn)",outcome="ok"\} (\d+)$/gm,
    );
    const fromBucket = [...answers].reduce((sum, [, count]) => sum + Number(count), 0);
    return { atMs: Date.now(), isUsable: usable === '1', fromBucket };
  } catch {
    return null;
  }
}
