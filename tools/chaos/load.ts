/**
 * The clients: requests at a fixed rate whether or not earlier ones were answered (an open loop, so that a stalled service shows as
 * missing answers rather than as fewer questions). What is asked is drawn from the seed; what it is asked about depends on answers.
 */
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { buildMultipart } from '@omnizap/testkit';
import type { HistoryFile } from './history-file.ts';
import { createHttpClient } from './http-client.ts';
import type { HttpResult, SendOptions } from './http-client.ts';
import type { PicturePool } from './pictures.ts';
import type { Random } from './random.ts';
import type { Operation, RequestRecord } from './requests.ts';

export type Owner = { ownerId: string; key: string };

type Pack = {
  name: string;
  owner: Owner;
  packKey: string;
  isPublished: boolean;
  isDeleteTried: boolean;
  uploads: { bytes: Buffer; sha256: string; isBroken: boolean }[];
};

export type Load = {
  requests: RequestRecord[];
  start: () => void;
  /** Stops asking and waits for the last answers. */
  stop: () => Promise<void>;
  /** Questions that were not asked because too many were open. */
  skipped: () => number;
  /** SHA-256 of the newest accepted uploads, newest first. */
  recentUploads: () => string[];
  /** Keys of packs that were created and not deleted. */
  livePacks: () => string[];
};

type LoadOptions = {
  seed: number;
  requestsPerSecond: number;
  random: Random;
  pictures: PicturePool;
  owners: Owner[];
  apiUrls: () => string[];
  history: HistoryFile;
};

/** More open requests than this and the client machine would be what is tested. */
const maxOpen = 400;
const stickersPerPack = 8;
/** Share of the uploads that do not decode, and of those that a pack already has. */
const brokenShare = 0.04;
const repeatShare = 0.12;
const hotShare = 0.5;
const hotPacks = 3;
const unlistedShare = 0.1;
const emojis = ['😀', '🐱', '🎉', '🍕', '⚽', '🚗'];

/** Weights; what is not possible yet becomes a new pack. */
const mix: [Operation, number][] = [
  ['create', 9],
  ['upload', 30],
  ['publish', 9],
  ['open', 24],
  ['like', 12],
  ['dislike', 6],
  ['delete', 2],
  ['list', 4],
  ['detail', 4],
];

export function createLoad(options: LoadOptions): Load {
  const { random, pictures, owners, history } = options;
  const client = createHttpClient();
  const requests: RequestRecord[] = [];
  const packs: Pack[] = [];
  const recent: string[] = [];
  const open = new Set<Promise<void>>();
  let serial = 0;
  let skipped = 0;
  let isRunning = false;
  let running: Promise<void> = Promise.resolve();

  async function run(): Promise<void> {
    const startedAt = performance.now();
    for (let count = 0; isRunning; count += 1) {
      // Even spacing with some jitter: bursts would blur what the rate says about recovery.
      const dueAt = startedAt + ((count + random.next() * 0.8) * 1_000) / options.requestsPerSecond;
      const waitMs = dueAt - performance.now();
      if (waitMs > 0) await delay(waitMs);
      if (!isRunning) return;
      ask();
    }
  }

  function ask(): void {
    const operation = drawOperation();
    const request = prepare(operation);
    if (open.size >= maxOpen || request === null) {
      skipped += 1;
      return;
    }
    const work = request().finally(() => open.delete(work));
    open.add(work);
  }

  function drawOperation(): Operation {
    const total = mix.reduce((sum, [, weight]) => sum + weight, 0);
    let at = random.next() * total;
    for (const [operation, weight] of mix) {
      at -= weight;
      if (at < 0) return operation;
    }
    return 'list';
  }

  /** The request that does it, about something drawn now. */
  function prepare(operation: Operation): (() => Promise<void>) | null {
    const live = packs.filter((pack) => !pack.isDeleteTried);
    const visible = live.filter((pack) => pack.isPublished);
    switch (operation) {
      case 'list':
        return () => send('list', 'GET', '/api/sticker-packs?sort=recent&limit=10', {}, {});
      case 'create':
        return create();
      case 'upload': {
        const roomy = live.filter((pack) => pack.uploads.length < stickersPerPack);
        return roomy.length === 0 ? create() : upload(random.pick(roomy.slice(-12)));
      }
      case 'publish': {
        const drafts = live.filter((pack) => !pack.isPublished && pack.uploads.length > 0);
        return drafts.length === 0 ? create() : publish(random.pick(drafts));
      }
      case 'delete':
        return live.length < 8 ? create() : remove(random.pick(live));
      case 'detail':
        return visible.length === 0 ? create() : detail(random.pick(visible));
      default:
        if (visible.length === 0) return create();
        // Half of the votes go to a few packs: subjects that change all the time show what happens between two changes.
        return interact(operation, random.pick(random.chance(hotShare) ? visible.slice(-hotPacks) : visible));
    }
  }

  function create(): () => Promise<void> {
    const owner = random.pick(owners);
    serial += 1;
    const name = `Chaos ${options.seed} ${serial}`;
    const visibility = random.chance(unlistedShare) ? 'unlisted' : 'public';
    const body = JSON.stringify({ name, publisher: 'Chaos', visibility, tags: ['chaos'] });
    return () =>
      send(
        'create',
        'POST',
        '/api/sticker-packs',
        { owner, body, type: 'application/json' },
        { pack: name },
        (result) => {
          const packKey = (result.body as { data: { pack_key: string } }).data.pack_key;
          packs.push({ name, owner, packKey, isPublished: false, isDeleteTried: false, uploads: [] });
          return { packKey };
        },
      );
  }

  function upload(pack: Pack): () => Promise<void> {
    const isRepeated = pack.uploads.length > 0 && random.chance(repeatShare);
    const file = isRepeated ? random.pick(pack.uploads) : newFile();
    if (!isRepeated) pack.uploads.push(file);
    const { body, contentType } = buildMultipart([
      { name: 'file', content: file.bytes, filename: 'sticker.webp', contentType: 'image/webp' },
      { name: 'emojis', content: JSON.stringify([random.pick(emojis)]) },
    ]);
    return () =>
      send(
        'upload',
        'POST',
        `/api/sticker-packs/${pack.packKey}/stickers`,
        { owner: pack.owner, body, type: contentType },
        { pack: pack.name, packKey: pack.packKey, sha256: file.sha256, isBroken: file.isBroken },
        (result) => {
          recent.unshift(file.sha256);
          recent.length = Math.min(recent.length, 50);
          return { stickerId: (result.body as { data: { sticker_id: string } }).data.sticker_id };
        },
      );
  }

  function newFile(): Pack['uploads'][number] {
    serial += 1;
    const isBroken = random.chance(brokenShare);
    const index = random.between(0, pictures.size - 1);
    const number = options.seed * 1_000_000 + serial;
    const bytes = isBroken ? pictures.brokenPicture(index, number) : pictures.picture(index, number);
    return { bytes, sha256: createHash('sha256').update(bytes).digest('hex'), isBroken };
  }

  function publish(pack: Pack): () => Promise<void> {
    return () =>
      send(
        'publish',
        'POST',
        `/api/sticker-packs/${pack.packKey}/publish`,
        { owner: pack.owner },
        { pack: pack.name, packKey: pack.packKey },
        () => {
          pack.isPublished = true;
          return {};
        },
      );
  }

  function remove(pack: Pack): () => Promise<void> {
    pack.isDeleteTried = true;
    return () =>
      send(
        'delete',
        'DELETE',
        `/api/sticker-packs/${pack.packKey}`,
        { owner: pack.owner },
        { pack: pack.name, packKey: pack.packKey },
      );
  }

  function detail(pack: Pack): () => Promise<void> {
    const path = `/api/sticker-packs/${pack.packKey}`;
    return () => send('detail', 'GET', path, {}, { pack: pack.name, packKey: pack.packKey });
  }

  function interact(operation: Operation, pack: Pack): () => Promise<void> {
    serial += 1;
    // Now and then a viewer comes back: that must not count again.
    const number = random.chance(0.1) ? Math.max(1, serial - random.between(1, 40)) : serial;
    const viewer = `viewer-${options.seed}-${number}`;
    const address = `10.${number & 255}.${(number >> 8) & 255}.${(number >> 16) & 255}`;
    return () =>
      send(
        operation,
        'POST',
        `/api/sticker-packs/${pack.packKey}/${operation}`,
        { headers: { 'X-Viewer-Key': viewer, 'X-Forwarded-For': address } },
        { pack: pack.name, packKey: pack.packKey, viewer },
      );
  }

  type Extra = { owner?: Owner; body?: Buffer | string; type?: string; headers?: Record<string, string> };

  async function send(
    operation: Operation,
    method: string,
    path: string,
    { owner, body, type, headers }: Extra,
    about: Partial<RequestRecord>,
    onOk: (result: HttpResult) => Partial<RequestRecord> = () => ({}),
  ): Promise<void> {
    const id = `chaos-${options.seed}-${requests.length + 1}`;
    const record: RequestRecord = {
      id,
      operation,
      startedAt: Date.now(),
      endedAt: 0,
      outcome: 'unknown',
      status: 0,
      ...about,
      ...(owner === undefined ? {} : { ownerId: owner.ownerId }),
    };
    requests.push(record);
    history.write('invoke', { id, operation, ...about });
    const urls = options.apiUrls();
    const url = urls.length === 0 ? null : random.pick(urls);
    const sent: SendOptions = {
      method,
      headers: {
        'X-Request-Id': id,
        ...headers,
        ...(owner === undefined ? {} : { Authorization: `Bearer ${owner.key}` }),
        ...(type === undefined ? {} : { 'Content-Type': type }),
        ...(method === 'GET' || body !== undefined ? {} : { 'Content-Length': '0' }),
      },
      ...(body === undefined ? {} : { body }),
    };
    const result: HttpResult =
      url === null
        ? { outcome: 'refused', status: 0, code: 'no API is up', body: null }
        : await client.send(`${url}${path}`, sent);
    Object.assign(record, {
      endedAt: Date.now(),
      outcome: result.outcome,
      status: result.status,
      ...(result.code === undefined ? {} : { code: result.code }),
      ...(result.outcome === 'ok' ? onOk(result) : {}),
    });
    const { outcome, status, code, packKey, stickerId } = record;
    history.write(outcome, { id, operation, status, code, packKey, stickerId });
  }

  return {
    requests,
    start() {
      isRunning = true;
      running = run();
    },
    async stop() {
      isRunning = false;
      await running;
      await Promise.all(open);
      client.close();
    },
    skipped: () => skipped,
    recentUploads: () => [...recent],
    livePacks: () => packs.filter((pack) => !pack.isDeleteTried).map((pack) => pack.packKey),
  };
}
