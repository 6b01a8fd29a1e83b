/**
 * Opaque cursors of ranked lists: they pin the source, the sort and the filters, and say where the next page starts. One of a
 * published generation pins its number; one of a live list names the last pack that was seen.
 */
import { z } from 'zod';
import { AppError } from '@omnizap/runtime';
import { sorts, type Sort } from './ranking-store.ts';

const snapshotSchema = z.strictObject({
  v: z.literal(1),
  g: z.int().positive(),
  s: z.enum(sorts),
  p: z.int().nonnegative(),
});
const liveSchema = z.strictObject({
  v: z.literal(1),
  l: z.literal(1),
  s: z.enum(sorts),
  p: z.int().nonnegative(),
  /** Last change (ms since the epoch) and id of the last pack. */
  t: z.int(),
  i: z.uuid(),
});
const cursorSchema = z.union([snapshotSchema, liveSchema]);

export type LastSeen = { updatedAtMs: number; id: string };
export type SnapshotCursor = { source: 'snapshot'; generation: number; sort: Sort; position: number };
export type LiveCursor = { source: 'live'; sort: Sort; position: number; last: LastSeen };
export type Cursor = SnapshotCursor | LiveCursor;

const maxCursorLength = 200;

export function formatCursor(cursor: Cursor): string {
  const { sort: s, position: p } = cursor;
  const fields =
    cursor.source === 'snapshot'
      ? { v: 1, g: cursor.generation, s, p }
      : { v: 1, l: 1, s, p, t: cursor.last.updatedAtMs, i: cursor.last.id };
  return Buffer.from(JSON.stringify(fields)).toString('base64url');
}

/** @throws AppError `invalid-cursor` when it is not one of ours or belongs to another sort. */
export function parseCursor(text: string, sort: Sort): Cursor {
  const parsed = cursorSchema.safeParse(text.length <= maxCursorLength ? decode(text) : undefined);
  if (!parsed.success)
    throw new AppError('invalid-cursor', 'The cursor is not one that this API gave out: start again without it.');
  const { data } = parsed;
  if (data.s !== sort) {
    throw new AppError(
      'invalid-cursor',
      `The cursor belongs to sort=${data.s}, not sort=${sort}: use it with the sort of its first page.`,
    );
  }
  return 'g' in data
    ? { source: 'snapshot', generation: data.g, sort, position: data.p }
    : { source: 'live', sort, position: data.p, last: { updatedAtMs: data.t, id: data.i } };
}

function decode(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
