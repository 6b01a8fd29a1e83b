/** Which requests the objectives are about, as matchers and queries of panels. */
import {
  abandonedStatusClass,
  failedStatusClasses,
  readMethods,
  readStatusClasses,
  sloRouteGroups,
  slowReadMs,
} from '../../slo.ts';
import { perSecond, ratio } from '../queries.ts';

export const inObjective = `route_group=~"${sloRouteGroups.join('|')}"`;
const counted = `status_class!="${abandonedStatusClass}"`;
const failed = `status_class=~"${failedStatusClasses.join('|')}"`;
const reads = [
  inObjective,
  `method=~"${readMethods.join('|')}"`,
  `status_class=~"${readStatusClasses.join('|')}"`,
] as const;

/** The failed part of the requests that count, 0-1; by labels. */
export function failedRequests(by: readonly string[]): string {
  return ratio(
    perSecond(by, 'omnizap_http_requests_total', inObjective, failed),
    perSecond(by, 'omnizap_http_requests_total', inObjective, counted),
  );
}

/** The part of the reads that was slower than the objective's limit, 0-1; by labels. */
export function slowReads(by: readonly string[]): string {
  // Prometheus 3 writes the edges of buckets with a decimal point, older ones as they are exported.
  const within = `le=~"${slowReadMs}([.]0)?"`;
  const histogram = 'omnizap_http_request_duration_ms';
  return `1 - ${perSecond(by, `${histogram}_bucket`, ...reads, within)} / ${perSecond(by, `${histogram}_count`, ...reads)}`;
}
