/** Prometheus metrics of this process. Names are fixed by the contract; one registry per process, scraped at /metrics. */
import { Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { isFromLoopback, matchesToken } from './access.ts';
import type { IncomingMessage } from 'node:http';

export { Counter, Gauge, Histogram } from 'prom-client';
export type { Registry } from 'prom-client';

const databaseBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export type Metrics = {
  registry: Registry;
  observeQuery: (database: 'catalogue' | 'queue') => (seconds: number) => void;
};

export function createMetrics(options: { version: string; release: string; process: string }): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'omnizap_build_info',
    help: 'Always 1; labels say what runs here.',
    labelNames: ['version', 'release', 'process'],
    registers: [registry],
  }).set(options, 1);
  const queries = new Histogram({
    name: 'omnizap_database_query_duration_seconds',
    help: 'Time from sending a query to its answer.',
    labelNames: ['database'],
    buckets: databaseBuckets,
    registers: [registry],
  });
  return { registry, observeQuery: (database) => (seconds) => queries.observe({ database }, seconds) };
}

/** May this request read /metrics? With a token configured only by that token, else from the loopback only. */
export function mayReadMetrics(request: IncomingMessage, metricsToken: string | undefined): boolean {
  if (metricsToken === undefined) return isFromLoopback(request);
  return matchesToken(request.headers.authorization, metricsToken);
}
