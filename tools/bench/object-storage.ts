/**
 * What object storage costs and how fast it is, in ratios: redirects against the list from the snapshot, bytes by way of the bucket
 * against bytes from disk, and the backfill. Against OpenStack Swift, and against a double that leaves only our own side to measure.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { locateSwift, startSwift } from '@omnizap/embedded';
import { spawnProcess, waitFor } from '@omnizap/testkit';
import { z } from 'zod';
import { createSeededRandom } from '../simulation/seeded-random.ts';
import { drawBenchStickers } from './bench-drawings.ts';
import type { BenchFleet } from './bench-fleet.ts';
import type { Bench, BenchContext, Measurement } from './bench-types.ts';
import { runClosedLoop } from './closed-loop.ts';
import { runOpenLoop } from './open-loop.ts';
import { createOwnerSession } from './owner-session.ts';
import { readCpuSeconds } from './process-cpu.ts';
import { percentile } from './statistics.ts';

const flag = 'enable_object_storage_delivery';
const packCount = 30;
const stickersInPack = 8;
const objectsPerSticker = 3;
const connections = 32;
const seconds = 4;
/** Of the requests that are timed: few enough for Swift. */
const timedPerSecond = 30;
const pageSize = 24;
const listPath = `/api/sticker-packs?limit=${pageSize}`;
const quietRanking = { STICKER_SCORE_SNAPSHOT_REFRESH_INTERVAL_MS: '86400000' };
/** Faster than any of both. */
const backfillRate = '5000';
const backfillSchema = z.object({ data: z.object({ stored: z.int(), seconds: z.number() }) });

type Bucket = { endpoint: string; accessKeyId: string; secretAccessKey: string; bucket: string };
type Api = { url: string; pid: number };

export const objectStorageBench: Bench = {
  name: 'object-storage',
  summary: `${connections} connections ask for a sticker from disk, by way of a bucket and by redirect; backfills of ${packCount * stickersInPack * objectsPerSticker} objects.`,
  rounds: 3,
  async prepare(context) {
    const { startFleet, say, signal } = context;
    const swift = await startOwnSwift(context);
    const double = await startDouble(context);
    say(`drawing ${packCount * stickersInPack} stickers`);
    const stickers = await drawBenchStickers('webp', packCount * stickersInPack, 1);
    const fleet = await startFleet({ ...quietRanking, ...settingsOf(double) });
    const session = await createOwnerSession(fleet);
    const packKeys = await session.addAll(stickers, stickersInPack);
    for (const packKey of packKeys) await session.publish(packKey);
    await fleet.whenQuiet();
    const paths = await stickerPaths(fleet, packKeys);
    await waitFor(async () => (await readList(fleet)) === pageSize, {
      timeoutMs: 60_000,
      description: 'a ranking of all packs',
    });
    const redirecting = await fleet.startBeside('api', { STICKER_OBJECT_STORAGE_MODE: 'redirect' });
    const proxying = { url: fleet.apiUrl, pid: fleet.processes().find(({ name }) => name === 'api')?.pid ?? 0 };

    return async (round) => {
      const random = createSeededRandom(round);
      const loop = async (api: Api, asked: string, expectedStatus: number) => {
        const before = await readCpuSeconds([api.pid]);
        const load = { baseUrl: api.url, path: asked, headers: {}, connections, seconds, expectedStatus, signal };
        const rate = await runClosedLoop(load);
        const cpuMs = (((await readCpuSeconds([api.pid])) - before) * 1_000) / (rate * seconds);
        return { rate, cpuMs };
      };
      const timed = async (api: Api): Promise<number> =>
        percentile(
          await runOpenLoop({ baseUrl: api.url, paths, perSecond: timedPerSecond, seconds, random, signal }),
          99,
        );
      const [asked = ''] = paths;

      const toSwift = await backfill(fleet, { ...swift, bucket: `round-${round}` });
      const toDouble = await backfill(fleet, { ...double, bucket: `round-${round}` });
      const viaSwift = await fleet.startBeside('api', settingsOf({ ...swift, bucket: `round-${round}` }));
      await setFlag(fleet, 0, [proxying, redirecting, viaSwift]);
      const disk = { ...(await loop(proxying, asked, 200)), p99: await timed(proxying) };
      await setFlag(fleet, 100, [proxying, redirecting, viaSwift]);
      const list = await loop(redirecting, listPath, 200);
      const redirect = await loop(redirecting, asked, 302);
      const proxied = { ...(await loop(proxying, asked, 200)), p99: await timed(proxying) };
      // The timed ones first: a Swift that was just asked by all at once has still to answer them.
      const swiftP99 = await timed(viaSwift);
      const counted = await fromBucket(viaSwift);
      const ofSwift = await loop(viaSwift, asked, 200);
      const share = ((await fromBucket(viaSwift)) - counted) / (ofSwift.rate * seconds);
      await viaSwift.stop();

      return measurementsOf({ list, redirect, disk, proxied, ofSwift: { ...ofSwift, p99: swiftP99, share } }, [
        toSwift,
        toDouble,
      ]);
    };
  },
};

type Loop = { rate: number; cpuMs: number };
type Timed = Loop & { p99: number };

function measurementsOf(
  rounds: { list: Loop; redirect: Loop; disk: Timed; proxied: Timed; ofSwift: Timed & { share: number } },
  [toSwift, toDouble]: [number, number],
): Measurement[] {
  const { list, redirect, disk, proxied, ofSwift } = rounds;
  const rate = (name: string, value: number): Measurement => ({ name: `${name}: answers`, unit: '/s', value });
  const cost = (name: string, value: number): Measurement => ({
    name: `${name}: processor time of the API`,
    unit: 'ms',
    value,
  });
  const slowest = (name: string, value: number): Measurement => ({
    name: `${name}: p99 at ${timedPerSecond} per second`,
    unit: 'ms',
    value,
    target: { atMost: 750 },
  });
  return [
    rate('list from the snapshot', list.rate),
    rate('redirect', redirect.rate),
    {
      name: 'redirect: against the list from the snapshot',
      unit: 'x',
      value: redirect.rate / list.rate,
      target: { atLeast: 0.7 },
    },
    cost('redirect', redirect.cpuMs),
    rate('disk', disk.rate),
    slowest('disk', disk.p99),
    cost('disk', disk.cpuMs),
    rate('proxy, double', proxied.rate),
    slowest('proxy, double', proxied.p99),
    cost('proxy, double', proxied.cpuMs),
    { name: 'proxy, double: against disk', unit: 'x', value: proxied.rate / disk.rate },
    rate('proxy, Swift', ofSwift.rate),
    { name: 'proxy, Swift: share that came from it', unit: 'x', value: ofSwift.share },
    slowest('proxy, Swift', ofSwift.p99),
    cost('proxy, Swift', ofSwift.cpuMs),
    { name: 'backfill to the double', unit: 'objects/s', value: toDouble, target: { atLeast: 200 } },
    { name: 'backfill to Swift', unit: 'objects/s', value: toSwift },
  ];
}

const settingsOf = ({ endpoint, accessKeyId, secretAccessKey, bucket }: Bucket): Record<string, string> => ({
  STICKER_OBJECT_STORAGE_BUCKET: bucket,
  STICKER_OBJECT_STORAGE_ENDPOINT: endpoint,
  STICKER_OBJECT_STORAGE_ACCESS_KEY_ID: accessKeyId,
  STICKER_OBJECT_STORAGE_SECRET_ACCESS_KEY: secretAccessKey,
});

async function startOwnSwift({ root, folder, cleanUp, say, signal }: BenchContext): Promise<Omit<Bucket, 'bucket'>> {
  const cacheDir = path.join(root, '.cache', 'object-storage');
  const installation = await locateSwift({ cacheDir, log: say });
  if (installation === null) throw new Error('there is no OpenStack Swift here and none could be fetched');
  const swift = await startSwift({ installation, dataDir: path.join(folder, 'swift'), signal });
  cleanUp(async () => await swift.stop());
  return swift;
}

async function startDouble({ cleanUp }: BenchContext): Promise<Bucket> {
  const starting = spawnProcess(fileURLToPath(import.meta.resolve('./s3-double.ts')), []);
  cleanUp(async () => {
    const double = await starting.catch(() => null);
    await double?.stop();
  });
  const keys = { accessKeyId: 'bench', secretAccessKey: 'nobody looks at it' };
  return { ...keys, endpoint: (await starting).url, bucket: 'stickers' };
}

/** Objects per second into a bucket that has none of them, as the command counts them. */
async function backfill(fleet: BenchFleet, to: Bucket): Promise<number> {
  const { endpoint, bucket, accessKeyId, secretAccessKey } = to;
  const credentials = { accessKeyId, secretAccessKey };
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
  await client.send(new CreateBucketCommand({ Bucket: bucket })).finally(() => client.destroy());
  await fleet.query('DELETE FROM stored_object');
  const env = { ...fleet.env, ...settingsOf(to) };
  const args = ['storage', 'backfill', '--json', '--rate', backfillRate];
  const command = await spawnProcess('apps/cli/main.ts', args, env, { waitForReady: false });
  const { code } = await command.exited;
  const output = command.output();
  if (code !== 0) throw new Error(`The backfill failed: ${output.slice(0, 500)}`);
  const json = output.slice(output.indexOf('{'), output.lastIndexOf('}') + 1);
  const { data } = backfillSchema.parse(JSON.parse(json));
  return data.stored / data.seconds;
}

/** And waits until these processes go by it. */
async function setFlag(fleet: BenchFleet, percent: number, apis: Api[]): Promise<void> {
  await fleet.query(
    `UPDATE feature_flag SET is_enabled = ${percent > 0 ? 1 : 0}, rollout_percent = ${percent}, updated_by = 'bench' WHERE flag_name = '${flag}'`,
  );
  for (const api of apis)
    await waitFor(
      async () =>
        (await readMetrics(api)).includes(`omnizap_feature_flag_rollout_percent{flag="${flag}"} ${percent}\n`),
      { timeoutMs: 15_000, description: `the flag at ${percent}` },
    );
}

async function readMetrics({ url }: Api): Promise<string> {
  return await (await fetch(`${url}/metrics`)).text();
}

async function fromBucket(api: Api): Promise<number> {
  const pattern = /omnizap_asset_delivery_total\{source="bucket",outcome="ok"\} (\d+)/;
  return Number(pattern.exec(await readMetrics(api))?.[1] ?? 0);
}

async function readList(fleet: BenchFleet): Promise<number> {
  const body: unknown = await (await fetch(new URL(listPath, fleet.apiUrl))).json();
  return z.object({ data: z.array(z.unknown()) }).parse(body).data.length;
}

async function stickerPaths(fleet: BenchFleet, packKeys: string[]): Promise<string[]> {
  const rows = await fleet.query<{ pack_key: string; asset_id: string }>(
    `SELECT p.pack_key, i.asset_id FROM sticker_pack p JOIN sticker_pack_item i ON i.pack_id = p.id
      WHERE p.pack_key = ANY($1) ORDER BY i.asset_id`,
    [packKeys],
  );
  return rows.map((row) => `/api/sticker-packs/${row.pack_key}/stickers/${row.asset_id}.webp`);
}
