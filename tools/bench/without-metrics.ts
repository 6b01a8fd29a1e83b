/**
 * Loaded first by the API process that others are compared with (`node --import`): it keeps no metrics. The modules that measure
 * requests and statements are replaced, and prom-client's instruments do nothing, so the product needs no switch for it.
 */
import { registerHooks } from 'node:module';
import { Counter, Gauge, Histogram } from 'prom-client';

const replaced: Record<string, string> = {
  '/apps/api/http-metrics.ts': `
    export function setRouteGroup() {}
    export function createHttpMetrics() { return (request, response, next) => next(); }`,
  // Pools that are given no observer look at nothing.
  '/libs/runtime/src/database-metrics.ts': 'export function createDatabaseMetrics() { return () => undefined; }',
};

registerHooks({
  load(url, context, nextLoad) {
    const source = Object.entries(replaced).find(([ending]) => url.endsWith(ending))?.[1];
    return source === undefined ? nextLoad(url, context) : { format: 'module', shortCircuit: true, source };
  },
});

const nothing = (): undefined => undefined;
Object.assign(Counter.prototype, { inc: nothing });
Object.assign(Gauge.prototype, { inc: nothing, set: nothing });
Object.assign(Histogram.prototype, { observe: nothing });
