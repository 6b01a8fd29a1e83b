/** Opaque cursors of lists that are read straight from the tables: they name the last entry that was seen. */
import { z } from 'zod';
import { AppError } from '@omnizap/runtime';
import { decodeCursor, encodeCursor } from './cursor.ts';

/** The largest instant that JavaScript knows, in ms. */
const maxInstantMs = 8.64e15;

/** Instant of an entry, ms since the epoch. */
export const keysetInstant = z.int().min(0).max(maxInstantMs);

export function formatKeyset(list: string, position: Record<string, string | number>): string {
  return encodeCursor({ v: 1, k: list, ...position });
}

/** @throws AppError `invalid-cursor` when it is not one of this list */
export function parseKeyset<S extends z.ZodRawShape>(
  list: string,
  text: string | undefined,
  shape: S,
): z.output<z.ZodObject<S>> | null {
  if (text === undefined) return null;
  const parsed = z.strictObject({ v: z.literal(1), k: z.literal(list), ...shape }).safeParse(decodeCursor(text));
  if (!parsed.success)
    throw new AppError('invalid-cursor', 'The cursor is not one that this list gave out: start again without it.');
  return parsed.data as unknown as z.output<z.ZodObject<S>>;
}
