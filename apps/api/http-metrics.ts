/** Request metrics by route group. Names and buckets are the contract's. */
import type { Request, RequestHandler, Response } from 'express';
import { Counter, Histogram, systemClock, type Clock, type Metrics } from '@omnizap/runtime';
import { sloGroups, type RouteGroup } from './route-groups.ts';

const buckets = [5, 10, 20, 40, 75, 120, 200, 350, 500, 750, 1_000, 1_500, 2_000, 5_000, 10_000];

/** From then on a client who leaves without an answer was not impatient. */
const timeoutMs = 10_000;

export function setRouteGroup(response: Response, group: RouteGroup): void {
  response.locals.routeGroup = group;
}

export function createHttpMetrics(
  metrics: Metrics,
  sloTargetMs: number,
  clock: Pick<Clock, 'now'> = systemClock,
): RequestHandler {
  const labelNames = ['route_group', 'method', 'status_class'];
  const registers = [metrics.registry];
  const total = new Counter({
    name: 'omnizap_http_requests_total',
    help: 'Requests, answered or cut off.',
    labelNames,
    registers,
  });
  const duration = new Histogram({
    name: 'omnizap_http_request_duration_ms',
    help: 'Time from the request to the end of its answer, milliseconds.',
    labelNames,
    buckets,
    registers,
  });
  const violations = new Counter({
    name: 'omnizap_http_slo_violation_total',
    help: 'Requests slower than HTTP_SLO_TARGET_MS, or failed, in groups that the objective covers.',
    labelNames: ['route_group', 'method'],
    registers,
  });

  // A series that begins at 1 has risen by nothing: without a beginning at 0 the first failure of its kind is never counted by
  // increase(). Only where an objective counts it: elsewhere it is two series for nothing.
  const begun = new Set<string>();
  function begin(group: RouteGroup, method: string): void {
    const kind = `${group} ${method}`;
    if (!sloGroups.has(group) || begun.has(kind)) return;
    begun.add(kind);
    for (const failed of ['5xx', 'timeout']) total.inc({ route_group: group, method, status_class: failed }, 0);
  }

  return (request, response, next) => {
    const startedAt = clock.now();
    response.once('close', () => {
      const tookMs = clock.now() - startedAt;
      const group =
        (response.locals.routeGroup as RouteGroup | undefined) ?? (request.path === '/metrics' ? 'metrics' : 'other');
      const labels = {
        route_group: group,
        // A stranger may send any word as a method; only the known ones become a label.
        method: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].includes(request.method)
          ? request.method
          : 'OTHER',
        status_class: statusClass(request, response, tookMs),
      };
      begin(group, labels.method);
      total.inc(labels);
      duration.observe(labels, tookMs);
      if (sloGroups.has(group) && (tookMs > sloTargetMs || labels.status_class === '5xx')) {
        violations.inc({ route_group: group, method: labels.method });
      }
    });
    next();
  };
}

/**
 * An answer that was cut off has no status that anybody saw. It is a failure of ours only where the client had done his part: one that
 * does not send his body, or does not read the answer, could otherwise roll a rollout back. What hangs before it has read a body, or
 * in the middle of an answer, passes for a slow client: the slow reads tell of it.
 */
function statusClass(request: Request, response: Response, tookMs: number): string {
  if (response.writableFinished) return `${Math.floor(response.statusCode / 100)}xx`;
  const isOurTurn = request.complete && !response.headersSent;
  return isOurTurn && tookMs >= timeoutMs ? 'timeout' : 'aborted';
}
