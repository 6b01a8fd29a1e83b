/** Opaque cursors of lists that are read straight from the tables: they name the last entry that was seen. */
import { z } from 'zod';
import { AppError } from '@omnizap/runtime';

/** The largest instant that JavaScript knows, in ms. */
const maxInstantMs = 8.64e15;
const maxCursorLength = 200;

const schema = z.strictObject({
  v: z.literal(1),
  /** Which list it belongs to. */
  k: z.string(),
  i: z.uuid(),
  /** Instant of the entry (ms since the epoch), where the list goes by one. */
  t: z.int().min(0).max(maxInstantMs).optional(),
});

export type Keyset = { id: string; atMs?: number | undefined };

export function formatKeyset(list: string, { id, atMs }: Keyset): string {
  const fields = { v: 1, k: list, i: id, ...(atMs === undefined ? {} : { t: atMs }) };
  return Buffer.from(JSON.stringify(fields)).toString('base64url');
}

/** @throws AppError `invalid-cursor` when it is not one of this list */
export function parseKeyset(list: string, text: string): Keyset {
  const parsed = schema.safeParse(text.length <= maxCursorLength ? decode(text) : undefined);
  if (!parsed.success || parsed.data.k !== list)
    throw new AppError('invalid-cursor', 'The cursor is not one that this list gave out: start again without it.');
  return { id: parsed.data.i, atMs: parsed.data.t };
}

function decode(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
