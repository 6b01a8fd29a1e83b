import { describe, expect, it } from '@jest/globals';
import { contractMetrics } from '../../../observability/metric-names.ts';
import { knownMetrics } from './known-metrics.ts';

describe('the metrics that a gate may name', () => {
  it('are those of the contract, with its types and labels', () => {
    const promised = contractMetrics();

    for (const [name, { type, labels }] of Object.entries(knownMetrics))
      expect([name, promised.get(name)]).toEqual([name, { type, labels: [...labels].toSorted() }]);
  });
});
