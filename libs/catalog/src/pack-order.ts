/** Positions of a pack's stickers. Pure. */
import type { FieldProblem } from '@omnizap/runtime';

/** Named in one refusal at most; what is wrong with the first ones tells what is wrong with the list. */
const maxProblems = 20;

/** What keeps `wanted` from being an order of exactly these stickers. */
export function orderProblems(current: string[], wanted: string[]): FieldProblem[] {
  const inPack = new Set(current);
  const named = new Set<string>();
  const problems: FieldProblem[] = [];
  for (const [index, id] of wanted.entries()) {
    const pointer = `/sticker_ids/${index}`;
    if (named.has(id)) problems.push({ pointer, detail: `${id} is named twice` });
    else if (!inPack.has(id)) problems.push({ pointer, detail: `${id} is not in the pack` });
    named.add(id);
  }
  for (const id of current) {
    if (!named.has(id)) problems.push({ pointer: '/sticker_ids', detail: `${id} is missing` });
  }
  return problems.slice(0, maxProblems);
}

/**
 * Where a new order of all stickers starts, so that it shares no position with the old one: below it if there is room, else
 * above. The next time there is room below, so positions stay within some three times the pack's size.
 */
export function startOfOrder(positions: number[]): number {
  return Math.min(...positions) >= positions.length ? 0 : Math.max(...positions) + 1;
}
