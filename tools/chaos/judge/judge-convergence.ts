/**
 * Whether what is derived shows the last change, computed anew from the tables that people change: stickers are ready or rejected,
 * scores count what is there, lists hold what is public. A failure that is in the dead letters is an answer as well.
 */
import type { FinalTables } from '../final-tables.ts';
import type { RequestRecord } from '../requests.ts';
import type { KnownFacts } from './known-facts.ts';
import { violation } from './violation.ts';
import type { Violation } from './violation.ts';

const variants = ['preview', 'sticker'];
const curatedLevels = new Set(['safe', 'unknown']);

export function judgeConvergence(requests: RequestRecord[], tables: FinalTables, facts: KnownFacts): Violation[] {
  return [
    ...judgeWorkStates(tables, facts),
    ...judgeStickers(requests, tables, facts),
    ...judgeScores(tables),
    ...judgeRanking(tables),
    ...judgeAutoPacks(tables),
  ];
}

function deadSubjects(tables: FinalTables): Set<string> {
  return new Set(tables.deadTasks.map(({ taskType, subjectId }) => `${taskType}:${subjectId}`));
}

/** An upload of what was damaged is tried again for hours, in case somebody puts the file back. */
function judgeWorkStates(tables: FinalTables, { damagedContent }: KnownFacts): Violation[] {
  const dead = deadSubjects(tables);
  const damaged = new Set(
    tables.assets.filter(({ sha256 }) => damagedContent.includes(sha256)).map(({ id }) => `storage:${id}`),
  );
  return tables.workStates.flatMap(({ taskType, subjectId, wanted, done, failed }) => {
    if (done >= wanted) return [];
    const name = `${taskType}:${subjectId}`;
    if (damaged.has(name)) return [];
    if (failed < wanted) return [violation('lost', 3, `${name} wants version ${wanted} and has ${done}`)];
    return dead.has(name)
      ? []
      : [violation('lost', 7, `${name} failed at version ${failed}, but no dead letter says why`)];
  });
}

function judgeStickers(requests: RequestRecord[], tables: FinalTables, facts: KnownFacts): Violation[] {
  const found: Violation[] = [];
  const dead = deadSubjects(tables);
  const classified = new Set(tables.classifications.map(({ assetId }) => assetId));
  const derived = Map.groupBy(tables.derivatives, ({ assetId }) => assetId);
  const mayBeRejected = new Set([
    ...facts.damagedContent,
    ...requests.filter(({ isBroken }) => isBroken).map(({ sha256 }) => sha256 ?? ''),
  ]);
  for (const asset of tables.assets) {
    const name = `sticker ${asset.id} (${asset.sha256.slice(0, 12)})`;
    if (dead.has(`classification:${asset.id}`) || dead.has(`derivative:${asset.id}`)) continue;
    if (asset.status === 'rejected') {
      if (!mayBeRejected.has(asset.sha256))
        found.push(violation('lost', 3, `${name} was rejected, its picture is fine`));
      continue;
    }
    if (asset.status !== 'ready') {
      found.push(violation('lost', 3, `${name} is still ${asset.status}`));
      continue;
    }
    if (!classified.has(asset.id)) found.push(violation('lost', 3, `${name} is ready without a classification`));
    const made = (derived.get(asset.id) ?? []).map(({ variant }) => variant).toSorted();
    if (made.join() !== variants.join())
      found.push(violation('lost', 3, `${name} is ready with ${made.join(' and ') || 'no files'}`));
  }
  return found;
}

function judgeScores(tables: FinalTables): Violation[] {
  const found: Violation[] = [];
  const dead = deadSubjects(tables);
  const scores = new Map(tables.scores.map((score) => [score.packId, score]));
  const engagement = new Map(tables.engagement.map((row) => [row.packId, row]));
  const counts = countReady(tables);
  for (const pack of tables.packs) {
    if (dead.has(`rebuild:${pack.id}`)) continue;
    const score = scores.get(pack.id);
    if (!score) {
      found.push(violation('lost', 3, `pack ${pack.packKey} has no score`));
      continue;
    }
    const stickers = counts.get(pack.id) ?? 0;
    const isListed = isPublic(pack) && stickers > 0;
    const version = engagement.get(pack.id)?.version ?? 0;
    // Recorded as done and yet not showing the change: a task swallowed what came after it had read.
    // Of a deleted pack only that counts: it is not worked on any more.
    if (!pack.isDeleted && score.stickerCount !== stickers)
      found.push(
        violation('lost', 4, `pack ${pack.packKey} is scored with ${score.stickerCount} stickers, it has ${stickers}`),
      );
    if (score.isListed !== isListed)
      found.push(
        violation(
          'lost',
          4,
          `pack ${pack.packKey} is ${score.isListed ? '' : 'not '}listed by its score, but should ${isListed ? '' : 'not '}be`,
        ),
      );
    if (!pack.isDeleted && score.engagementVersion !== version)
      found.push(
        violation(
          'lost',
          4,
          `pack ${pack.packKey} is scored at engagement ${score.engagementVersion}, it is at ${version}`,
        ),
      );
  }
  return found;
}

function judgeRanking(tables: FinalTables): Violation[] {
  const found: Violation[] = [];
  const expected = expectedRanking(tables);
  const keys = new Map(tables.packs.map((pack) => [pack.id, pack.packKey]));
  const sorts = Object.entries(tables.ranking);
  if (sorts.length === 0 && expected.size > 0) return [violation('lost', 3, 'there is no ranking at all')];
  for (const [sort, ids] of sorts) {
    const listed = new Set(ids);
    if (listed.size < ids.length)
      found.push(violation('doubled', 3, `ranking "${sort}" has ${ids.length - listed.size} packs twice`));
    for (const id of expected)
      if (!listed.has(id))
        found.push(violation('lost', 3, `pack ${keys.get(id) ?? id} is missing in ranking "${sort}"`));
    for (const id of listed)
      if (!expected.has(id))
        found.push(violation('unexpected', 3, `pack ${keys.get(id) ?? id} is still in ranking "${sort}"`));
  }
  return found;
}

/** Ids of the packs that lists have to show. */
export function expectedRanking(
  tables: Pick<FinalTables, 'packs' | 'items' | 'assets' | 'classifications'>,
): Set<string> {
  const counts = countReady(tables);
  return new Set(tables.packs.filter((pack) => isPublic(pack) && (counts.get(pack.id) ?? 0) > 0).map(({ id }) => id));
}

/** Automatic packs hold only what may be curated; that they hold all of it depends on look-alikes, which is not judged here. */
function judgeAutoPacks(tables: FinalTables): Violation[] {
  const packs = new Map(tables.packs.map((pack) => [pack.id, pack]));
  const ready = new Set(tables.assets.filter(({ status }) => status === 'ready').map(({ id }) => id));
  const curated = new Set(
    tables.classifications.filter(({ nsfwLevel }) => curatedLevels.has(nsfwLevel)).map(({ assetId }) => assetId),
  );
  const shown = new Set(
    tables.items
      .filter(({ packId }) => {
        const pack = packs.get(packId);
        return pack !== undefined && !pack.isAuto && isPublic(pack);
      })
      .map(({ assetId }) => assetId),
  );
  return tables.items.flatMap(({ packId, assetId }) => {
    const pack = packs.get(packId);
    if (!pack?.isAuto || pack.isDeleted) return [];
    const isFit = ready.has(assetId) && curated.has(assetId) && shown.has(assetId);
    return isFit ? [] : [violation('lost', 4, `automatic pack ${pack.packKey} still holds sticker ${assetId}`)];
  });
}

function isPublic(pack: FinalTables['packs'][number]): boolean {
  return pack.visibility === 'public' && pack.status === 'published' && !pack.isDeleted;
}

/** Stickers by pack that can be shown. */
function countReady({
  items,
  assets,
  classifications,
}: Pick<FinalTables, 'items' | 'assets' | 'classifications'>): Map<string, number> {
  const ready = new Set(assets.filter(({ status }) => status === 'ready').map(({ id }) => id));
  const classified = new Set(classifications.map(({ assetId }) => assetId));
  const counts = new Map<string, number>();
  for (const { packId, assetId } of items)
    if (ready.has(assetId) && classified.has(assetId)) counts.set(packId, (counts.get(packId) ?? 0) + 1);
  return counts;
}
