/**
 * Opaque cursors of ranked lists: they pin the source, the sort and the filters, and say where the next page starts. One of a
 * published generation pins its number; one of a live list names the last pack that was seen.
 */
import { z } from 'zod';
import { AppError } from '@omnizap/runtime';
import { sorts, type Sort } from './ranking-index.ts';

const common = {
  v: z.literal(2),
  s: z.enum(sorts),
  /** Digest of the filters. */
  f: z.string().max(16),
  p: z.int().nonnegative(),
};
const snapshotSchema = z.strictObject({ ...common, g: z.int().positive() });
const liveSchema = z.strictObject({
  ...common,
  l: z.literal(1),
  /** Last change (ms since the epoch) and id of the last pack. */
  t: z.int(),
  i: z.uuid(),
});
const cursorSchema = z.union([snapshotSchema, liveSchema]);

export type LastSeen = { updatedAtMs: number; id: string };
/** What a cursor belongs to: used with anything else it would skip and repeat packs. */
export type CursorScope = { sort: Sort; filterDigest: string };
export type SnapshotCursor = CursorScope & { source: 'snapshot'; generation: number; position: number };
export type LiveCursor = CursorScope & { source: 'live'; position: number; last: LastSeen };
export type Cursor = SnapshotCursor | LiveCursor;

/** Against a mistake, not against an attack: so much of the digest is enough, and cursors stay short. */
const keptDigest = 8;
const maxCursorLength = 200;

export function formatCursor(cursor: Cursor): string {
  const { sort: s, position: p } = cursor;
  const f = cursor.filterDigest.slice(0, keptDigest);
  const fields =
    cursor.source === 'snapshot'
      ? { v: 2, g: cursor.generation, s, f, p }
      : { v: 2, l: 1, s, f, p, t: cursor.last.updatedAtMs, i: cursor.last.id };
  return encodeCursor(fields);
}

/** @throws AppError `invalid-cursor` when it is not one of ours or belongs to another sort or other filters. */
export function parseCursor(text: string, scope: CursorScope): Cursor {
  const parsed = cursorSchema.safeParse(decodeCursor(text));
  if (!parsed.success)
    throw new AppError('invalid-cursor', 'The cursor is not one that this API gave out: start again without it.');
  const { data } = parsed;
  if (data.s !== scope.sort) {
    throw new AppError(
      'invalid-cursor',
      `The cursor belongs to sort=${data.s}, not sort=${scope.sort}: use it with the sort of its first page.`,
    );
  }
  if (data.f !== scope.filterDigest.slice(0, keptDigest)) {
    throw new AppError(
      'invalid-cursor',
      'The cursor belongs to other filters: use it with the q, category and include_sensitive of its first page.',
    );
  }
  return 'g' in data
    ? { source: 'snapshot', generation: data.g, ...scope, position: data.p }
    : { source: 'live', ...scope, position: data.p, last: { updatedAtMs: data.t, id: data.i } };
}

export function encodeCursor(fields: Record<string, unknown>): string {
  return Buffer.from(JSON.stringify(fields)).toString('base64url');
}

/** Undefined for what cannot be a cursor. */
export function decodeCursor(text: string): unknown {
  if (text.length > maxCursorLength) return undefined;
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
