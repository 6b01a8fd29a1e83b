/**
 * Loaded first by the API process that others are compared with (`node --import`): it keeps no metrics. The modules that measure
 * requests, statements and the process itself are replaced, and prom-client's instruments do nothing, so the product needs no switch
 * for it.
 */
import { registerHooks } from 'node:module';

type Replacement = { format: 'module' | 'commonjs'; source: string };
const inProduct = (source: string): Replacement => ({ format: 'module', source });
const replaced: Record<string, Replacement> = {
  '/apps/api/http-metrics.ts': inProduct(`
    export function setRouteGroup() {}
    export function createHttpMetrics() { return (request, response, next) => next(); }`),
  // Pools that are given no observer look at nothing.
  '/libs/runtime/src/database-metrics.ts': inProduct(
    'export function createDatabaseMetrics() { return () => undefined; }',
  ),
  // Among them are a clock of the event loop and a listener to each collection of garbage.
  '/prom-client/lib/defaultMetrics.js': { format: 'commonjs', source: 'module.exports = () => undefined;' },
};

registerHooks({
  load(url, context, nextLoad) {
    const replacement = Object.entries(replaced).find(([ending]) => url.endsWith(ending))?.[1];
    return replacement === undefined ? nextLoad(url, context) : { ...replacement, shortCircuit: true };
  },
});

// Only now: what is replaced must not have been loaded before.
const { Counter, Gauge, Histogram } = await import('prom-client');
const nothing = (): undefined => undefined;
Object.assign(Counter.prototype, { inc: nothing });
Object.assign(Gauge.prototype, { inc: nothing, set: nothing });
Object.assign(Histogram.prototype, { observe: nothing });
