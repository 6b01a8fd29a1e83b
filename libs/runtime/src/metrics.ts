/** Prometheus metrics of this process. Names are fixed by the contract; one registry per process, scraped at /metrics. */
import { Gauge, Registry, collectDefaultMetrics } from 'prom-client';
import { isFromLoopback, matchesToken } from './access.ts';
import { createDatabaseMetrics, type DatabaseName, type DatabaseObserver } from './database-metrics.ts';
import type { IncomingMessage } from 'node:http';

export { Counter, Gauge, Histogram } from 'prom-client';
export type { Registry } from 'prom-client';

/** prom-client's gauges that are named as counters; each is the sum of one that stays. */
const misnamedMetrics = [
  'nodejs_active_resources_total',
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
];

export type Metrics = {
  registry: Registry;
  /** For the connection pool of that database. */
  ofDatabase: (database: DatabaseName) => DatabaseObserver;
};

export function createMetrics(options: { version: string; release: string; process: string }): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of misnamedMetrics) registry.removeSingleMetric(name);
  new Gauge({
    name: 'omnizap_build_info',
    help: 'Always 1; labels say what runs here.',
    labelNames: ['version', 'release', 'process'],
    registers: [registry],
  }).set(options, 1);
  return { registry, ofDatabase: createDatabaseMetrics(registry) };
}

/** May this request read /metrics? With a token configured only by that token, else from the loopback only. */
export function mayReadMetrics(request: IncomingMessage, metricsToken: string | undefined): boolean {
  if (metricsToken === undefined) return isFromLoopback(request);
  return matchesToken(request.headers.authorization, metricsToken);
}
