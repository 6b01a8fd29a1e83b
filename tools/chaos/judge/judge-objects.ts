/** Whether the bucket has what the catalogue wants there, byte by byte, and nothing else. */
import type { FinalTables } from '../final-tables.ts';
import type { KnownFacts } from './known-facts.ts';
import { violation } from './violation.ts';
import type { Violation } from './violation.ts';

/** By the bucket. */
export type BucketObject = { key: string; sha256: string };
/** By the catalogue. */
export type ObjectRow = { kind: string; sha256: string; isVerified: boolean; isGoing: boolean };

export function judgeObjects(
  tables: FinalTables,
  { objects, rows }: { objects: BucketObject[]; rows: ObjectRow[] },
  { damagedContent }: Pick<KnownFacts, 'damagedContent'>,
): Violation[] {
  const found: Violation[] = [];
  const add = (what: string): void => void found.push(violation('wrong_object', 3, what));
  const wanted = wantedKeys(tables, damagedContent);
  const inBucket = new Map(objects.map((object) => [object.key, object.sha256]));
  const known = new Map(rows.map((row) => [keyOf(row.kind, row.sha256), row]));
  for (const [key, { sha256, isRequired }] of wanted) {
    const row = known.get(key);
    const bytes = inBucket.get(key);
    if (bytes !== undefined && bytes !== sha256) add(`${key} has the bytes of ${bytes}`);
    if (bytes === undefined && row?.isVerified === true) add(`${key} is said to be in the bucket, and is not`);
    if (!isRequired) continue;
    if (row === undefined) add(`${key} is not known to be in the bucket`);
    else if (!row.isVerified) add(`${key} was never verified`);
  }
  for (const key of inBucket.keys()) if (!wanted.has(key)) add(`${key} is in the bucket, no sticker wants it`);
  for (const [key, row] of known) {
    if (!wanted.has(key)) add(`${key} is said to be in the bucket, no sticker wants it`);
    if (row.isGoing) add(`${key} is being removed for ever`);
  }
  return found;
}

type Wanted = { sha256: string; isRequired: boolean };

/**
 * What of every sticker that is ready may be there; required is what a pack shows. Nothing is taken down in a run, and what loses its
 * pack stays for days, or is not brought in any more. Nor is required what a dead letter answers for, or whose file was damaged.
 */
function wantedKeys(tables: FinalTables, damagedContent: string[]): Map<string, Wanted> {
  const wanted = new Map<string, Wanted>();
  const dead = new Set(
    tables.deadTasks.filter(({ taskType }) => taskType === 'storage').map(({ subjectId }) => subjectId),
  );
  const livePacks = new Set(tables.packs.filter(({ isDeleted }) => !isDeleted).map(({ id }) => id));
  const shown = new Set(tables.items.filter(({ packId }) => livePacks.has(packId)).map(({ assetId }) => assetId));
  const made = Map.groupBy(tables.derivatives, ({ assetId }) => assetId);
  for (const { id, sha256, status } of tables.assets) {
    if (status !== 'ready') continue;
    const isRequired = shown.has(id) && !dead.has(id) && !damagedContent.includes(sha256);
    const contents = [
      { kind: 'original', sha256 },
      ...(made.get(id) ?? []).map((row) => ({ kind: row.variant, sha256: row.sha256 })),
    ];
    for (const content of contents) {
      const key = keyOf(content.kind, content.sha256);
      // The same bytes may be those of several stickers.
      wanted.set(key, { sha256: content.sha256, isRequired: isRequired || wanted.get(key)?.isRequired === true });
    }
  }
  return wanted;
}

/** As the decision on object storage says it. */
export function keyOf(kind: string, sha256: string): string {
  return `stickers/${kind}/${sha256.slice(0, 2)}/${sha256}${kind === 'original' ? '' : '.webp'}`;
}
