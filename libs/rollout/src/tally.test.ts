import { describe, expect, it } from '@jest/globals';
import { parseMetrics } from './metrics-text.ts';
import { createTally, selectorOf } from './tally.ts';

const requests = selectorOf('requests_total', { group: ['a'] }, [], 'counter');
const sampleOf = (source: string, startedAt: number, value: number) => ({
  ...{ source, startedAt },
  series: [
    { name: 'requests_total', labels: { group: 'a' }, value },
    { name: 'requests_total', labels: { group: 'b' }, value: 7 },
  ],
});

describe('a tally of the fleet', () => {
  const total = (tally: ReturnType<typeof createTally>) => tally.ticks().at(-1)?.values.get(requests.key)?.get('');

  it('neither loses nor doubles what processes counted that begin, restart and end', () => {
    const tally = createTally([requests], 60_000);
    tally.add(1_000, [sampleOf('one', 0, 100)]);
    expect(total(tally)).toBe(0);
    tally.add(2_000, [sampleOf('one', 0, 110)]);
    expect(total(tally)).toBe(10);
    tally.add(3_000, [sampleOf('one', 2_500, 3), sampleOf('two', 2_600, 5)]);
    expect(total(tally)).toBe(18);
    tally.add(4_000, [sampleOf('two', 2_600, 6)]);
    expect(total(tally)).toBe(19);
  });

  it('keeps no more than its window', () => {
    const tally = createTally([requests], 10_000);
    for (let at = 0; at <= 100_000; at += 1_000) tally.add(at, [sampleOf('one', 0, at)]);

    expect(tally.ticks()).toHaveLength(11);
  });

  it('reads what processes export, with escaped labels, and leaves the rest out', () => {
    const text = '# HELP depth x\ndepth{queue="a\\"b,c"} 4\ndepth{queue="d"} NaN\nother 1\nbuckets{le="+Inf"} 3 1700\n';

    expect(parseMetrics(text, (name) => name !== 'other')).toEqual([
      { name: 'depth', labels: { queue: 'a"b,c' }, value: 4 },
      { name: 'buckets', labels: { le: '+Inf' }, value: 3 },
    ]);
  });
});
