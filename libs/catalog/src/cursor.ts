/** Opaque cursors of ranked lists: they pin the generation, the sort and the filters, and say where the next page starts. */
import { z } from 'zod';
import { AppError } from '@omnizap/runtime';
import { sorts, type Sort } from './ranking-store.ts';

const cursorSchema = z.strictObject({
  v: z.literal(1),
  g: z.int().positive(),
  s: z.enum(sorts),
  p: z.int().nonnegative(),
});

export type Cursor = { generation: number; sort: Sort; position: number };

const maxCursorLength = 200;

export function formatCursor(cursor: Cursor): string {
  return Buffer.from(JSON.stringify({ v: 1, g: cursor.generation, s: cursor.sort, p: cursor.position })).toString(
    'base64url',
  );
}

/** @throws AppError `invalid-cursor` when it is not one of ours or belongs to another sort. */
export function parseCursor(text: string, sort: Sort): Cursor {
  const parsed = cursorSchema.safeParse(text.length <= maxCursorLength ? decode(text) : undefined);
  if (!parsed.success)
    throw new AppError('invalid-cursor', 'The cursor is not one that this API gave out: start again without it.');
  if (parsed.data.s !== sort) {
    throw new AppError(
      'invalid-cursor',
      `The cursor belongs to sort=${parsed.data.s}, not sort=${sort}: use it with the sort of its first page.`,
    );
  }
  return { generation: parsed.data.g, sort: parsed.data.s, position: parsed.data.p };
}

function decode(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
