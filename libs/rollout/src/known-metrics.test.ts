import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { knownMetrics } from './known-metrics.ts';

const contract = readFileSync(path.join(import.meta.dirname, '../../../runbooks/contract.md'), 'utf8');

describe('the metrics that a gate may name', () => {
  it('are those of the contract, with its labels', () => {
    const section = /^## 7\..*?(?=^## 8\.)/ms.exec(contract)?.[0] ?? '';
    const promised = new Map(
      [...section.matchAll(/`(omnizap_\w+)(?:\{([\w,]+)\})?`/g)].map(([, name = '', labels = '']) => [
        name,
        labels.split(',').filter(Boolean).toSorted(),
      ]),
    );

    for (const [name, { labels }] of Object.entries(knownMetrics))
      expect([name, promised.get(name)]).toEqual([name, [...labels].toSorted()]);
  });
});
