/** The clock of the host that a process runs on, by the Date of an answer. */
import type { ServerClock } from '@omnizap/runtime';

const answerTimeoutMs = 3_000;
/** The header has whole seconds, rounded down. */
const resolutionMs = 1_000;

/** Null when it does not answer: another check says so. */
export async function readProcessClock(url: string): Promise<ServerClock | null> {
  const wallAt = Date.now();
  const sentAt = performance.now();
  try {
    const answer = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(answerTimeoutMs), redirect: 'error' });
    await answer.body?.cancel();
    const roundTripMs = performance.now() - sentAt;
    const said = Date.parse(answer.headers.get('date') ?? '');
    if (Number.isNaN(said)) return null;
    const aheadMs = said + resolutionMs / 2 - (wallAt + roundTripMs / 2);
    return { aheadMs, roundTripMs: roundTripMs + resolutionMs };
  } catch {
    return null;
  }
}
