/** Whether anybody noticed that processes were replaced, and whether everybody heard of the flips. */
import type { Awareness } from '../flags/flip-watch.ts';
import type { Replacement } from '../fleet.ts';
import type { RequestRecord } from '../requests.ts';
import { violation } from './violation.ts';
import type { Violation } from './violation.ts';

export type IsDisturbed = (fromMs: number, toMs: number) => boolean;

/** Requests that were open while an API process went, and those of them that failed. */
export function requestsDuring(
  requests: RequestRecord[],
  replacements: Replacement[],
  isDisturbed: IsDisturbed,
): { asked: number; failed: RequestRecord[] } {
  const reloads = replacements.filter(({ kind, askedAt, endedAt }) => kind === 'api' && !isDisturbed(askedAt, endedAt));
  const during = requests.filter(({ startedAt, endedAt }) =>
    reloads.some((reload) => startedAt <= reload.endedAt && endedAt >= reload.askedAt),
  );
  return { asked: during.length, failed: during.filter(({ status }) => status === 0 || status >= 500) };
}

/** With another process of its kind ready, a stop of an API process breaks no request, and no stop takes the 20 s. */
export function judgeReloads(
  requests: RequestRecord[],
  replacements: Replacement[],
  isDisturbed: IsDisturbed,
): Violation[] {
  const { failed } = requestsDuring(requests, replacements, isDisturbed);
  return failed.map(({ id, operation, status, code }) =>
    violation(
      'failed_reload',
      11,
      `${operation} ${id} failed (${status} ${code ?? ''}) while the API was reloaded and nothing else was wrong`,
    ),
  );
}

/** Within 15 s, unless its database or network was failing, or it was frozen. */
export function judgeAwareness(seen: Awareness[], isDisturbed: IsDisturbed): Violation[] {
  return seen
    .filter(({ seconds, askedAt }) => seconds === Infinity && !isDisturbed(askedAt, askedAt + 15_000))
    .map(({ flag, slot, askedAt }) =>
      violation(
        'stale_flag',
        8,
        `${slot} did not hear of the flip of ${flag} at ${new Date(askedAt).toISOString()} within 15 s`,
      ),
    );
}
