/** Opaque cursors of the lists that administrators read: where the next page starts, and of which list. */
import { z } from 'zod';
import { AppError } from '@omnizap/runtime';

export function formatAdminCursor(list: string, position: Record<string, string | number>): string {
  return Buffer.from(JSON.stringify({ l: list, ...position })).toString('base64url');
}

/** @throws AppError `invalid-cursor` when it is not one of that list */
export function parseAdminCursor<S extends z.ZodRawShape>(
  list: string,
  text: string | undefined,
  shape: S,
): z.output<z.ZodObject<S>> | null {
  if (text === undefined) return null;
  const parsed = z.object({ l: z.literal(list), ...shape }).safeParse(decode(text));
  if (!parsed.success)
    throw new AppError('invalid-cursor', 'The cursor is not one that this list gave out: start again without it.');
  return parsed.data as z.output<z.ZodObject<S>>;
}

function decode(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
