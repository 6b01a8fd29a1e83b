/**
 * What the generator had too little of: connections, ports, room for open requests. That connections are all busy is no sign by
 * itself, as they are whenever a server is too slow: it is one when what was sent was answered well enough.
 */
import type { Thresholds } from './judge-run.ts';
import type { LoadModel } from './load-options.ts';
import type { Tally } from './tally.ts';

/** A line for each, with what to do. */
export function generatorLimits(
  model: LoadModel,
  { byError, latency, fromSend }: Pick<Tally, 'byError' | 'latency' | 'fromSend'>,
  { sloMs, p99Ms }: Thresholds,
): string[] {
  const limits: string[] = [];
  const [due, sent] = [latency.percentiles(), fromSend.percentiles()];
  const hasWaited = (limitMs: number, name: 'p95' | 'p99'): boolean => due[name] > limitMs && sent[name] <= limitMs;
  if (model.kind === 'open' && (hasWaited(sloMs, 'p95') || hasWaited(Math.max(p99Ms, sloMs), 'p99')))
    limits.push(
      `requests waited for one of its connections: p99 ${Math.round(sent.p99)} ms from sending, ` +
        `${Math.round(due.p99)} ms from when they were due (more --connections)`,
    );
  if (byError.unsent !== undefined)
    limits.push(`${byError.unsent} requests were not sent, as too many were open (a lower --rate or --timeout-ms)`);
  if (byError.generator !== undefined)
    limits.push(`${byError.generator} requests found no port or file descriptor on this machine (ulimit -n)`);
  return limits;
}
