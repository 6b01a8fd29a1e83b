import { describe, expect, it } from '@jest/globals';
import { parseQuery } from './promql.ts';

describe('what a query names', () => {
  it('is each metric with its matchers, its range, and the function around it', () => {
    const { selectors, grouping } = parseQuery(
      'histogram_quantile(0.95, sum by (le, lane) (rate(a_bucket{job=~"$job", x!="y \\"z\\""}[$__rate_interval] offset 1h))) / ignoring (state) b',
    );
    expect(selectors).toEqual([
      {
        metric: 'a_bucket',
        matchers: [
          { label: 'job', operator: '=~', value: '$job' },
          { label: 'x', operator: '!=', value: 'y \\"z\\"' },
        ],
        range: '$__rate_interval',
        within: 'rate',
      },
      { metric: 'b', matchers: [], range: undefined, within: undefined },
    ]);
    expect(grouping).toEqual(['le', 'lane', 'state']);
  });

  it('knows aggregations with their labels behind, comparisons, numbers and recorded series', () => {
    const { selectors, grouping } = parseQuery(
      '60 * max(deriv(a[10m])) without (instance) > bool 1e3 or level:b:sum == 1',
    );
    expect(selectors.map(({ metric, within }) => [metric, within])).toEqual([
      ['a', 'deriv'],
      ['level:b:sum', undefined],
    ]);
    expect(grouping).toEqual(['instance']);
  });

  it('is nothing in a constant', () => {
    expect(parseQuery('vector(0) - time()').selectors).toEqual([]);
  });

  it.each([
    ['a parenthesis too many', 'sum(a))', 'closed that was not opened'],
    ['a parenthesis too few', 'sum(rate(a[5m])', 'not closed'],
    ['a character of another language', 'a && b', 'means nothing'],
    ['a matcher without a value', 'a{b=', 'it ends where'],
    ['a matcher that compares nothing', 'a{b,c}', 'compares no label'],
    ['matchers without a metric', '{a="b"}', 'no metric is before it'],
  ])('cannot be said of %s', (_, query, problem) => {
    expect(() => parseQuery(query)).toThrow(problem);
  });
});
