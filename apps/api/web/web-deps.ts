/** What pages are made of: the API's own parts, used directly. */
import { createHash } from 'node:crypto';
import type { ApiDeps } from '../api-deps.ts';
import { sourceBy, type RankingSource } from '../ranking-source.ts';

export type WebDeps = ApiDeps & { sourceFor: RankingSource };

export function webDepsOf(deps: ApiDeps): WebDeps {
  return { ...deps, sourceFor: sourceBy(deps.flags) };
}

/** Equal for equal content, and short. */
export function stampOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64');
}
