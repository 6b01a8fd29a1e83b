/**
 * Requests against their own history: the hours around this time of day, a day and a week ago. A surge has to exceed the busier of
 * the two, a drop to fall below the quieter one, so that weekends and nights are no news.
 */
import type { Alert } from '../alert.ts';
import { because, blindness } from './causes.ts';

export const throughputAlerts: readonly Alert[] = [
  {
    name: 'ThroughputSurge',
    group: 'throughput',
    severity: 'medium',
    expression:
      'fleet:omnizap_http_requests:rate5m > $limit * fleet:omnizap_http_requests:history_max and fleet:omnizap_http_requests:rate5m > 5',
    limit: 2,
    fires: 'above',
    for: '5m',
    summary: 'Twice as many requests as usual at this time',
    condition:
      'requests per second are more than 2 x the busier of the same hour a day and a week ago, and more than 5 per second',
    action: 'See who asks, and whether latency holds; limit a scraper, or add API processes.',
    inhibitedBy: blindness,
  },
  {
    name: 'ThroughputDrop',
    group: 'throughput',
    severity: 'high',
    expression:
      'fleet:omnizap_http_requests:rate5m < $limit * fleet:omnizap_http_requests:history_min and fleet:omnizap_http_requests:history_min > 1',
    limit: 0.5,
    fires: 'below',
    for: '15m',
    summary: 'Half of the usual requests do not arrive',
    condition:
      'requests per second are less than 0.5 x the quieter of the same hour a day and a week ago, which had more than 1 per second',
    action: 'Ask from outside whether the site can be reached: DNS, certificate, proxy, CDN.',
    inhibitedBy: [
      ...blindness,
      ...because('ApiDown', 'HttpErrorsCritical', 'HttpLatencyCritical', 'HttpErrorDataMissing'),
    ],
  },
];
