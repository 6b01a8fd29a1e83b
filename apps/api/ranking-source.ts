/** Where an answer about the ranking comes from: the flag decides for each subject, a viewer or the key of a pack. */
import type { ApiDeps } from './api-deps.ts';

export type RankingSource = (subject: string) => 'snapshot' | 'live';

export function sourceBy(flags: ApiDeps['flags']): RankingSource {
  return (subject) => (flags.isOn('enable_ranking_snapshot_read', subject) ? 'snapshot' : 'live');
}
