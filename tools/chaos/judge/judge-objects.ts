/** Whether the bucket has what the catalogue wants there, byte by byte, and nothing else. */
import type { FinalTables } from '../final-tables.ts';
import { violation } from './violation.ts';
import type { Violation } from './violation.ts';

/** By the bucket. */
export type BucketObject = { key: string; sha256: string };
/** By the catalogue. */
export type ObjectRow = { kind: string; sha256: string; isVerified: boolean; isGoing: boolean };

export function judgeObjects(
  tables: FinalTables,
  { objects, rows }: { objects: BucketObject[]; rows: ObjectRow[] },
): Violation[] {
  const found: Violation[] = [];
  const add = (what: string): void => void found.push(violation('wrong_object', 3, what));
  const { wanted, excused } = wantedKeys(tables);
  const inBucket = new Map(objects.map((object) => [object.key, object.sha256]));
  const known = new Map(rows.map((row) => [keyOf(row.kind, row.sha256), row]));
  for (const [key, sha256] of wanted) {
    if (excused.has(key)) continue;
    const row = known.get(key);
    const bytes = inBucket.get(key);
    if (bytes === undefined) add(`${key} is not in the bucket`);
    else if (bytes !== sha256) add(`${key} has the bytes of ${bytes}`);
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

/**
 * What of every sticker that is ready belongs there. Nothing is taken down in a run, and a sticker whose pack was deleted keeps its
 * bytes for days. Excused is what a dead letter answers for.
 */
function wantedKeys(tables: FinalTables): { wanted: Map<string, string>; excused: Set<string> } {
  const wanted = new Map<string, string>();
  const excused = new Set<string>();
  const dead = new Set(
    tables.deadTasks.filter(({ taskType }) => taskType === 'storage').map(({ subjectId }) => subjectId),
  );
  const made = Map.groupBy(tables.derivatives, ({ assetId }) => assetId);
  for (const { id, sha256, status } of tables.assets) {
    if (status !== 'ready') continue;
    const contents = [
      { kind: 'original', sha256 },
      ...(made.get(id) ?? []).map((row) => ({ kind: row.variant, sha256: row.sha256 })),
    ];
    for (const content of contents) {
      const key = keyOf(content.kind, content.sha256);
      wanted.set(key, content.sha256);
      if (dead.has(id)) excused.add(key);
    }
  }
  return { wanted, excused };
}

/** As the decision on object storage says it. */
export function keyOf(kind: string, sha256: string): string {
  return `stickers/${kind}/${sha256.slice(0, 2)}/${sha256}${kind === 'original' ? '' : '.webp'}`;
}
