/** A hand-made run without a fault, small enough to be read: what tests break in one place and hand to the checker. */
import { createHmac } from 'node:crypto';
import type { EventChange, JobChange } from '../final-tables.ts';
import type { RequestRecord } from '../requests.ts';
import type { Evidence } from './judge-run.ts';

const secret = 'secret of the test';
const now = 1_800_000_000_000;
export const viewerHash = (viewer: string): string =>
  createHmac('sha256', secret)
    .update(JSON.stringify(['viewer', `key:${viewer}`]))
    .digest('hex');

/** One public pack with one sticker, published and liked once; the sticker is ready, the pack is scored and ranked. */
export function cleanEvidence(): Evidence {
  const pack = { pack: 'Chaos 1 1', packKey: 'chaos-1-1-aaaaaa', ownerId: 'owner-1' };
  const upload = { sha256: 'a'.repeat(64), stickerId: 'asset-1', isBroken: false };
  const requests: RequestRecord[] = [
    request('r1', 'create', 201, pack),
    request('r2', 'upload', 202, { ...pack, ...upload }),
    request('r3', 'publish', 200, pack),
    request('r4', 'like', 200, { ...pack, viewer: 'viewer-1' }),
    request('r5', 'list', 200, {}),
  ];
  const packEvent = (id: number, requestId: string, action: string, eventType = 'PACK_UPDATED') =>
    eventLife(id, { eventType, aggregate: 'sticker_pack:pack-1', action, requestId });
  const assetEvent = (id: number, eventType: string) =>
    eventLife(id, { eventType, aggregate: 'sticker_asset:asset-1', action: null, requestId: 'r2' });
  return {
    requests,
    rest: { isQuiet: true, tookMs: 1_000, stuck: [] },
    facts: {
      poisonEvents: [],
      damagedContent: [],
      flips: [],
      knownEverywhereAt: () => Infinity,
      startedAt: now,
      endedAt: now + 30_000,
    },
    history: {
      effects: [
        effect(1, 'work_state', 'classification:asset-1', 1),
        effect(2, 'sticker_asset_classification', 'asset-1', 1),
        effect(3, 'sticker_asset_derivative', 'asset-1:sticker', 1),
        effect(4, 'sticker_asset_derivative', 'asset-1:preview', 1),
        effect(5, 'sticker_pack_score_snapshot', 'pack-1', 2),
        effect(6, 'sticker_pack_score_snapshot', 'pack-1', 6),
      ],
      events: [
        ...packEvent(1, 'r1', 'created'),
        ...assetEvent(2, 'STICKER_ASSET_CREATED'),
        ...packEvent(3, 'r2', 'sticker_added'),
        ...assetEvent(4, 'STICKER_CLASSIFIED'),
        ...assetEvent(5, 'STICKER_READY'),
        ...packEvent(6, 'r3', 'published'),
        ...packEvent(7, 'r4', 'like', 'ENGAGEMENT_RECORDED'),
      ],
      jobs: [],
    },
    tables: {
      packs: [
        {
          id: 'pack-1',
          packKey: pack.packKey,
          ownerId: pack.ownerId,
          name: pack.pack,
          status: 'published',
          visibility: 'public',
          isAuto: false,
          isDeleted: false,
        },
      ],
      items: [{ packId: 'pack-1', assetId: 'asset-1' }],
      assets: [{ id: 'asset-1', ownerId: pack.ownerId, sha256: upload.sha256, status: 'ready' }],
      classifications: [{ assetId: 'asset-1', version: 1, themeKey: 'animals', nsfwLevel: 'safe' }],
      derivatives: ['sticker', 'preview'].map((variant) => ({
        assetId: 'asset-1',
        variant,
        version: 1,
        sha256: variant,
      })),
      scores: [{ packId: 'pack-1', version: 6, isListed: true, stickerCount: 1, engagementVersion: 1 }],
      engagement: [{ packId: 'pack-1', open: 0, like: 1, dislike: 0, version: 1 }],
      interactions: [{ packId: 'pack-1', interaction: 'like', viewerHash: viewerHash('viewer-1'), windowNumber: 1 }],
      workStates: [
        { taskType: 'classification', subjectId: 'asset-1', wanted: 1, done: 1, failed: 0 },
        { taskType: 'rebuild', subjectId: 'pack-1', wanted: 6, done: 6, failed: 0 },
      ],
      deadEvents: [],
      deadTasks: [],
      openEvents: [],
      openJobs: [],
      completedEvents: [1, 3, 6, 7].map((id) => ({ id, aggregate: 'sticker_pack:pack-1', processedAtUs: id })),
      leases: [{ name: 'maintenance-leader', processId: 'process-1', isLive: true }],
      ranking: { popular: ['pack-1'], recent: ['pack-1'] },
      viewerSecret: secret,
    },
  };
}

export function request(
  id: string,
  operation: RequestRecord['operation'],
  status: number,
  about: Partial<RequestRecord>,
): RequestRecord {
  const outcome = status >= 500 || status === 0 ? 'unknown' : status >= 400 ? 'refused' : 'ok';
  return { id, operation, status, outcome, startedAt: now, endedAt: now + 10, ...about };
}

export function effect(
  seq: number,
  table: string,
  subject: string,
  version: number,
): Evidence['history']['effects'][number] {
  return { seq, actor: 'product', table, subject, version };
}

type Named = Pick<EventChange, 'eventType' | 'aggregate' | 'action' | 'requestId'>;

/** An event as it should go: inserted, claimed, completed, each at its own time. */
export function eventLife(id: number, named: Named): EventChange[] {
  const steps: [EventChange['operation'], string | null, string][] = [
    ['insert', null, 'pending'],
    ['update', 'pending', 'processing'],
    ['update', 'processing', 'completed'],
  ];
  return steps.map(([operation, oldStatus, newStatus], index) =>
    eventChange(id * 10 + index, id, { ...named, operation, oldStatus, newStatus }),
  );
}

export function eventChange(
  seq: number,
  eventId: number,
  about: Named & Pick<EventChange, 'operation' | 'oldStatus' | 'newStatus'> & Partial<EventChange>,
): EventChange {
  return { seq, atMs: now + seq, batch: String(seq), actor: 'product', eventId, ...about };
}

let jobChanges = 0;

/** What became of a task, in the order in which the test says it; of `job-1` and `pack-1` unless it says otherwise. */
export function jobChange(
  atMs: number,
  state: string | null,
  about: Pick<JobChange, 'queue' | 'port'> & Partial<JobChange>,
): JobChange {
  const operation = state === null ? 'delete' : 'update';
  return {
    seq: (jobChanges += 1),
    atMs,
    actor: 'product',
    operation,
    jobId: 'job-1',
    subject: 'pack-1',
    state,
    ...about,
  };
}
