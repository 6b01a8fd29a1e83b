/** What pages are made of: the API's own parts, used directly. */
import { createHash } from 'node:crypto';
import type { ApiDeps } from '../api-deps.ts';

export type WebDeps = ApiDeps & { sourceFor: (subject: string) => 'snapshot' | 'live' };

export function webDepsOf(deps: ApiDeps): WebDeps {
  return {
    ...deps,
    sourceFor: (subject) => (deps.flags.isOn('enable_ranking_snapshot_read', subject) ? 'snapshot' : 'live'),
  };
}

/** Equal for equal content, and short. */
export function stampOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64');
}
