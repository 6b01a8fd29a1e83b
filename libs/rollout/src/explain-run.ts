/** Decides every kept decision again, from the samples that were kept with it, and says where the answers differ. */
import { isDeepStrictEqual } from 'node:util';
import { decide } from './decide.ts';
import type { Plan } from './plan.ts';
import type { StoredDecision } from './rollout-store.ts';

export type ExplainedDecision = StoredDecision & {
  /** null: an operator decided, there is nothing to derive. */
  isConfirmed: boolean | null;
  /** What the same samples lead to today, when that is something else. */
  differs: string | null;
};

export function explainDecision(plan: Plan, stored: StoredDecision): ExplainedDecision {
  if ('operator' in stored.input) return { ...stored, isConfirmed: null, differs: null };
  const again = plain(decide(plan, stored.input));
  const isConfirmed = isDeepStrictEqual(again, plain(stored.decision));
  return { ...stored, isConfirmed, differs: isConfirmed ? null : `${again.action}: ${again.reason}` };
}

/** As it comes out of a JSON column: what is undefined is not there. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
