/** Raw thresholds on what visitors see now, in two levels each: they speak sooner than a budget when much goes wrong at once. */
import type { Alert } from '../alert.ts';
import { because, becauseOf, blindness, catalogueTrouble } from './causes.ts';

/** A request per five seconds: fewer say nothing about a 95th percentile, and nobody is to be woken by three of them. */
const enoughTraffic = 'and on () fleet:omnizap_http_requests:rate5m > 0.2';
const needsTraffic = 'with more than 12 requests a minute';

const causes = [...blindness, ...catalogueTrouble, ...because('ApiDown')];

export const httpAlerts: readonly Alert[] = [
  {
    name: 'HttpLatencyCritical',
    group: 'http',
    severity: 'critical',
    expression: `fleet:omnizap_http_request_duration_ms:p95_5m >= $limit ${enoughTraffic}`,
    limit: 1_000,
    fires: 'above',
    for: '5m',
    summary: 'One answer in twenty takes more than a second',
    condition: `p95 of all requests of the objective's groups is 1000 ms or more over 5 minutes, ${needsTraffic}`,
    action: 'Take back what was changed last; then see whether the database, the processor or one route is slow.',
    inhibitedBy: causes,
  },
  {
    name: 'HttpLatencyHigh',
    group: 'http',
    severity: 'high',
    expression: `fleet:omnizap_http_request_duration_ms:p95_5m >= $limit ${enoughTraffic}`,
    limit: 500,
    fires: 'above',
    for: '10m',
    summary: 'One answer in twenty takes more than half a second',
    condition: `p95 of all requests of the objective's groups is 500 ms or more over 5 minutes, ${needsTraffic}`,
    action: 'Find the slow route group, then whether it waits for the database, the cache or the processor.',
    inhibitedBy: [
      ...because('HttpLatencyCritical'),
      ...becauseOf({ database: 'catalogue' }, 'DatabaseLockWaits'),
      ...becauseOf({ database: 'catalogue', process: 'api' }, 'DatabasePoolExhausted'),
      ...causes,
    ],
  },
  {
    name: 'HttpErrorsCritical',
    group: 'http',
    severity: 'critical',
    expression: `fleet:omnizap_http_requests_failed:ratio_increase5m >= $limit ${enoughTraffic}`,
    limit: 0.1,
    fires: 'above',
    for: '5m',
    summary: 'One request in ten fails',
    condition: `10 % or more of the requests fail (5xx or timeout) over 5 minutes, ${needsTraffic}`,
    action: 'Take back what was changed last; then read the errors in the log of the API.',
    inhibitedBy: causes,
  },
  {
    name: 'HttpErrorsHigh',
    group: 'http',
    severity: 'high',
    expression: `fleet:omnizap_http_requests_failed:ratio_increase5m >= $limit ${enoughTraffic}`,
    limit: 0.05,
    fires: 'above',
    for: '10m',
    summary: 'One request in twenty fails',
    condition: `5 % or more of the requests fail (5xx or timeout) over 5 minutes, ${needsTraffic}`,
    action: 'Find the route group that fails, and read the errors in the log of the API.',
    inhibitedBy: [...because('HttpErrorsCritical', 'HttpErrorBudgetBurningFast'), ...causes],
  },
];
