/**
 * What clients were told against what the tables say: every acknowledged change is there, nothing is there that nobody asked for
 * or that was refused. An unknown answer permits both, but not half of it.
 */
import { createHmac } from 'node:crypto';
import type { FinalTables, PackRow, RecordedHistory } from '../final-tables.ts';
import type { Operation, RequestRecord } from '../requests.ts';
import { bucketOf, possiblePercents } from '../flags/flip.ts';
import type { Flip } from '../flags/flip.ts';
import type { KnownFacts } from './known-facts.ts';
import { violation } from './violation.ts';
import type { Violation } from './violation.ts';

const interactions = ['open', 'like', 'dislike'] as const;
/** What a client has given up may be carried out for so long. */
const unansweredMs = 30_000;
const rivals = { like: 'dislike', dislike: 'like' } as const;
const windowMs = { open: 30 * 60_000, like: 86_400_000, dislike: 86_400_000 };

export function judgeRequests(
  requests: RequestRecord[],
  tables: FinalTables,
  history: RecordedHistory,
  facts: KnownFacts,
): Violation[] {
  return [
    ...judgePacks(requests, tables),
    ...judgeUploads(requests, tables),
    ...judgeInteractions(requests, tables, facts),
    ...judgeRefusals(requests),
    ...judgeEvents(requests, tables, history, facts),
  ];
}

const describe = (request: RequestRecord): string =>
  `${request.operation} ${request.id}${request.pack === undefined ? '' : ` on "${request.pack}"`} (${request.outcome}, ${request.status})`;

function judgePacks(requests: RequestRecord[], tables: FinalTables): Violation[] {
  const found: Violation[] = [];
  const own = tables.packs.filter((pack) => !pack.isAuto);
  const byName = Map.groupBy(own, (pack) => pack.name);
  const creates = requests.filter(({ operation }) => operation === 'create');
  const triesOf = groupTries(requests);

  for (const create of creates) {
    const [pack, ...more] = byName.get(create.pack ?? '') ?? [];
    if (create.outcome === 'ok' && !pack)
      found.push(violation('lost', 3, `${describe(create)}: there is no such pack`));
    if (create.outcome === 'ok' && pack && pack.packKey !== create.packKey)
      found.push(
        violation(
          'lost',
          3,
          `${describe(create)}: the client was told ${create.packKey ?? '?'}, it is ${pack.packKey}`,
        ),
      );
    if (create.outcome === 'refused' && pack)
      found.push(violation('unexpected', 1, `${describe(create)}: it was refused, but pack ${pack.packKey} exists`));
    if (more.length > 0)
      found.push(violation('doubled', 1, `${describe(create)}: ${more.length + 1} packs came of one request`));
  }
  const asked = new Set(creates.map(({ pack }) => pack));
  for (const pack of own) {
    if (!asked.has(pack.name))
      found.push(violation('unexpected', 1, `pack ${pack.packKey} "${pack.name}": nobody asked for it`));
    found.push(...judgeState(pack, triesOf));
  }
  return found;
}

type Tries = (pack: string, operation: Operation) => RequestRecord[];

function groupTries(requests: RequestRecord[]): Tries {
  const groups = Map.groupBy(requests, ({ pack, operation }) => `${operation} ${pack ?? ''}`);
  return (pack, operation) => groups.get(`${operation} ${pack}`) ?? [];
}

/** Published and deleted are states that a request leads to and nothing leads back from. */
function judgeState(pack: PackRow, triesOf: Tries): Violation[] {
  const found: Violation[] = [];
  for (const [operation, isSo, word] of [
    ['publish', pack.status === 'published', 'published'],
    ['delete', pack.isDeleted, 'deleted'],
  ] as const) {
    const tries = triesOf(pack.name, operation);
    const acknowledged = tries.find(({ outcome }) => outcome === 'ok');
    if (acknowledged && !isSo) found.push(violation('lost', 3, `${describe(acknowledged)}: the pack is not ${word}`));
    if (isSo && tries.every(({ outcome }) => outcome === 'refused'))
      found.push(violation('unexpected', 1, `pack "${pack.name}" is ${word}, which nobody asked for with success`));
  }
  return found;
}

function judgeUploads(requests: RequestRecord[], tables: FinalTables): Violation[] {
  const found: Violation[] = [];
  const packByName = new Map(tables.packs.filter((pack) => !pack.isAuto).map((pack) => [pack.name, pack]));
  const nameOfPack = new Map([...packByName.values()].map((pack) => [pack.id, pack.name]));
  const assetByContent = new Map(tables.assets.map((asset) => [`${asset.ownerId} ${asset.sha256}`, asset]));
  const contentOfAsset = new Map(tables.assets.map((asset) => [asset.id, asset.sha256]));
  const present = new Set(
    tables.items.map(
      ({ packId, assetId }) => `${nameOfPack.get(packId) ?? packId} ${contentOfAsset.get(assetId) ?? assetId}`,
    ),
  );
  const uploads = requests.filter(({ operation }) => operation === 'upload');
  for (const upload of uploads.filter(({ outcome }) => outcome === 'ok')) {
    const asset = assetByContent.get(`${upload.ownerId ?? ''} ${upload.sha256 ?? ''}`);
    if (!asset) found.push(violation('lost', 3, `${describe(upload)}: there is no sticker with these bytes`));
    else if (asset.id !== upload.stickerId)
      found.push(
        violation('lost', 3, `${describe(upload)}: the client was told ${upload.stickerId ?? '?'}, it is ${asset.id}`),
      );
    else if (!present.has(`${upload.pack ?? ''} ${upload.sha256 ?? ''}`))
      found.push(violation('lost', 3, `${describe(upload)}: sticker ${asset.id} is not in the pack`));
  }
  const possible = new Set(
    uploads.filter(({ outcome }) => outcome !== 'refused').map(({ pack, sha256 }) => `${pack ?? ''} ${sha256 ?? ''}`),
  );
  const autoPacks = new Set(tables.packs.filter(({ isAuto }) => isAuto).map(({ id }) => id));
  const ownItems = tables.items.filter(({ packId }) => !autoPacks.has(packId));
  for (const { packId, assetId } of ownItems) {
    const key = `${nameOfPack.get(packId) ?? packId} ${contentOfAsset.get(assetId) ?? assetId}`;
    if (!possible.has(key))
      found.push(violation('unexpected', 1, `sticker ${assetId} is in pack ${packId}: no upload explains it`));
  }
  const uploaded = new Set(
    uploads
      .filter(({ outcome }) => outcome !== 'refused')
      .map(({ ownerId, sha256 }) => `${ownerId ?? ''} ${sha256 ?? ''}`),
  );
  for (const asset of tables.assets) {
    if (!uploaded.has(`${asset.ownerId} ${asset.sha256}`))
      found.push(violation('unexpected', 1, `sticker ${asset.id} (${asset.sha256}): no upload explains it`));
  }
  return found;
}

function judgeInteractions(requests: RequestRecord[], tables: FinalTables, facts: KnownFacts): Violation[] {
  const found: Violation[] = [];
  const packByName = new Map(tables.packs.map((pack) => [pack.name, pack]));
  const rows = Map.groupBy(tables.interactions, (row) => `${row.packId} ${row.interaction} ${row.viewerHash}`);
  const expected = new Map<string, { acknowledged: number; possible: number; example: RequestRecord }>();
  for (const request of requests) {
    const { operation, viewer, outcome } = request;
    if (!(interactions as readonly string[]).includes(operation) || viewer === undefined) continue;
    const pack = packByName.get(request.pack ?? '');
    if (!pack) continue;
    const key = `${pack.id} ${operation} ${hashViewer(tables.viewerSecret ?? '', viewer)}`;
    const entry = expected.get(key) ?? { acknowledged: 0, possible: 0, example: request };
    if (outcome === 'ok') entry.acknowledged += 1;
    if (outcome !== 'refused') entry.possible += 1;
    expected.set(key, entry);
  }
  for (const [key, { acknowledged, possible, example }] of expected) {
    const count = rows.get(key)?.length ?? 0;
    const window = windowMs[example.operation as keyof typeof windowMs];
    // A viewer counts once per window; a run seldom sees more than one.
    const windows = Math.floor(facts.endedAt / window) - Math.floor(facts.startedAt / window) + 1;
    // A viewer's later rating takes the place of the earlier one.
    const rival = key.replace(/ (like|dislike) /, (_, one: keyof typeof rivals) => ` ${rivals[one]} `);
    const isReplaced = rival !== key && (expected.get(rival)?.possible ?? 0) > 0 && rows.has(rival);
    const windowsOf = (of: string): number[] => (rows.get(of) ?? []).map((row) => row.windowNumber);
    if (rival !== key && windowsOf(key).some((window) => windowsOf(rival).includes(window)))
      found.push(violation('doubled', 1, `${describe(example)}: recorded beside its opposite`));
    if (acknowledged > 0 && count === 0 && !isReplaced)
      found.push(violation('lost', 3, `${describe(example)}: it was not recorded`));
    if (count > Math.min(possible, windows)) {
      const kind = possible === 0 ? 'unexpected' : 'doubled';
      found.push(violation(kind, 1, `${describe(example)}: recorded ${count} times for ${possible} requests`));
    }
  }
  for (const [key, list] of rows)
    if (!expected.has(key))
      found.push(violation('unexpected', 1, `interaction ${key}: recorded ${list.length} times, nobody asked`));

  const counted = Map.groupBy(tables.interactions, (row) => `${row.packId} ${row.interaction}`);
  for (const row of tables.engagement) {
    for (const interaction of interactions) {
      const logged = counted.get(`${row.packId} ${interaction}`)?.length ?? 0;
      if (row[interaction] === logged) continue;
      const kind = row[interaction] > logged ? 'doubled' : 'lost';
      found.push(
        violation(kind, 1, `pack ${row.packId} counts ${row[interaction]} ${interaction}s, its log has ${logged}`),
      );
    }
  }
  return found;
}

/** As the product documents it: HMAC-SHA256 over the JSON of the purpose and the viewer's key. */
function hashViewer(secret: string, viewer: string): string {
  return createHmac('sha256', secret)
    .update(JSON.stringify(['viewer', `key:${viewer}`]))
    .digest('hex');
}

/** A client that was told "not found" about something that it was told exists has lost it as well. */
function judgeRefusals(requests: RequestRecord[]): Violation[] {
  const found: Violation[] = [];
  const triesOf = groupTries(requests);
  for (const request of requests) {
    if (request.outcome !== 'refused' || ![401, 403, 404].includes(request.status)) continue;
    const pack = request.pack ?? '';
    const isDeletedMaybe = triesOf(pack, 'delete').some(({ startedAt }) => startedAt <= request.endedAt);
    if (request.status === 404 && isDeletedMaybe) continue;
    found.push(
      violation(
        'lost',
        3,
        `${describe(request)}: refused as ${request.code ?? 'unknown'}, although the client was told it exists`,
      ),
    );
  }
  return found;
}

type EventName = `${string} ${string}`;

/** The events that a request itself appends. */
const eventsOfOperation: Partial<Record<Operation, EventName[][]>> = {
  create: [['PACK_UPDATED created']],
  upload: [
    ['STICKER_ASSET_CREATED -', 'PACK_UPDATED sticker_added'],
    ['STICKER_ASSET_UPDATED -', 'PACK_UPDATED sticker_added'],
  ],
  publish: [['PACK_UPDATED published']],
  delete: [['PACK_UPDATED deleted']],
  open: [['ENGAGEMENT_RECORDED open']],
  like: [['ENGAGEMENT_RECORDED like']],
  dislike: [['ENGAGEMENT_RECORDED dislike']],
};

/** Appended by workers, under the request that began it all. */
const derivedEvents = new Set(['STICKER_CLASSIFIED', 'STICKER_READY']);

/**
 * Which events a request has to append, may append, and may not: `enable_domain_event_outbox` decides for each aggregate, and what it
 * leaves out is found by sweeps.
 */
function announcementsOf(
  request: RequestRecord,
  tables: FinalTables,
  facts: KnownFacts,
): (name: EventName) => boolean | null {
  const flag = 'enable_domain_event_outbox';
  const untilMs = request.outcome === 'unknown' ? request.endedAt + unansweredMs : request.endedAt;
  const isKnown = (flip: Flip): boolean => facts.knownEverywhereAt(flip, flag) <= request.startedAt;
  const { low, high } = possiblePercents(facts.flips, flag, request.startedAt, untilMs, isKnown);
  return (name) => {
    if (low === high && (low === 100 || low === 0)) return low === 100;
    const aggregate = aggregateOf(name, request, tables);
    if (aggregate === null) return null;
    const bucket = bucketOf(flag, aggregate);
    return bucket <= low ? true : bucket > high ? false : null;
  };
}

function aggregateOf(name: EventName, request: RequestRecord, tables: FinalTables): string | null {
  if (name.startsWith('STICKER_')) return request.stickerId === undefined ? null : `sticker_asset:${request.stickerId}`;
  const pack = tables.packs.find((row) => !row.isAuto && row.name === request.pack);
  return pack === undefined ? null : `sticker_pack:${pack.id}`;
}

/** Whether these are the events of the variant, but for those that may be left out, and without those that must be. */
function isVariant(variant: EventName[], names: string[], isAnnounced: (name: EventName) => boolean | null): boolean {
  const must = variant.filter((name) => isAnnounced(name) === true);
  const may = variant.filter((name) => isAnnounced(name) !== false);
  return (
    new Set(names).size === names.length &&
    must.every((name) => names.includes(name)) &&
    names.every((name) => (may as string[]).includes(name))
  );
}

/**
 * A change and its events are one: events without the change, the change without its events, or some of the events are each a
 * broken transaction. The events are those ever inserted, whatever became of the rows.
 */
function judgeEvents(
  requests: RequestRecord[],
  tables: FinalTables,
  history: RecordedHistory,
  facts: KnownFacts,
): Violation[] {
  const found: Violation[] = [];
  const autoPacks = new Set(tables.packs.filter(({ isAuto }) => isAuto).map(({ id }) => `sticker_pack:${id}`));
  const direct = history.events.filter(
    (event) =>
      event.operation === 'insert' &&
      event.actor === 'product' &&
      event.requestId !== null &&
      !derivedEvents.has(event.eventType) &&
      !autoPacks.has(event.aggregate),
  );
  const byRequest = Map.groupBy(direct, ({ requestId }) => requestId ?? '');
  const known = new Map(requests.map((request) => [request.id, request]));
  for (const [id, events] of byRequest)
    if (!known.has(id))
      found.push(violation('unexpected', 1, `event ${events[0]?.eventId ?? 0} is of request ${id}, which nobody made`));

  for (const request of requests) {
    const variants = eventsOfOperation[request.operation];
    if (!variants) continue;
    const names = (byRequest.get(request.id) ?? []).map(({ eventType, action }) => `${eventType} ${action ?? '-'}`);
    const isAnnounced = announcementsOf(request, tables, facts);
    const isWhole = variants.some((variant) => isVariant(variant, names, isAnnounced));
    if (request.outcome === 'refused' && names.length > 0)
      found.push(violation('unexpected', 1, `${describe(request)}: refused, but it appended ${names.join(', ')}`));
    else if (names.length > 0 && !isWhole) {
      const isMore = variants.every((variant) => names.length > variant.length);
      const isForbidden = variants.flat().some((name) => names.includes(name) && isAnnounced(name) === false);
      const kind = isMore ? 'doubled' : isForbidden ? 'unexpected' : 'lost';
      found.push(violation(kind, 1, `${describe(request)}: appended ${names.join(', ')}`));
    } else if (request.outcome === 'ok' && names.length === 0 && !isWhole && mustAnnounce(request, requests))
      found.push(violation('lost', 1, `${describe(request)}: it appended no event`));
  }
  return found;
}

/** Repeating what was done changes nothing and announces nothing. */
function mustAnnounce(request: RequestRecord, requests: RequestRecord[]): boolean {
  if (request.operation === 'create') return true;
  if (request.operation === 'upload') return request.status === 202;
  return !requests.some(
    (other) =>
      other !== request &&
      other.operation === request.operation &&
      other.pack === request.pack &&
      other.viewer === request.viewer &&
      other.outcome !== 'refused',
  );
}
