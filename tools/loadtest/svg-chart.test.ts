import { describe, expect, it } from '@jest/globals';
import { escapeHtml } from './escape-html.ts';
import { lineChart, niceCeiling } from './svg-chart.ts';

describe('text in a page', () => {
  it('cannot end an element or an attribute', () => {
    expect(escapeHtml(`<script>"a"&'b'</script>`)).toBe('&lt;script&gt;&quot;a&quot;&amp;&#39;b&#39;&lt;/script&gt;');
  });
});

describe('a chart', () => {
  it('has a line of all points, and the highest one below a round figure', () => {
    const svg = lineChart({
      title: 'a <b>',
      unit: 'ms',
      xName: 'seconds',
      series: [
        {
          name: '"p99"',
          className: 'c',
          points: [
            [0, 10],
            [1, 73],
            [2, 20],
          ],
        },
      ],
    });
    expect(svg.match(/ d="([^"]+)"/)?.[1]?.match(/[ML]/g)).toHaveLength(3);
    expect(svg).toContain('a &lt;b&gt;');
    expect(svg).toContain('&quot;p99&quot;');
    expect(svg).toContain('>100</text>');
    expect(svg).not.toMatch(/style=|NaN|undefined/);
  });

  it('of nothing, of one point and of zeros is no division by zero', () => {
    const chart = (points: [number, number][]): string =>
      lineChart({ title: 't', unit: 'u', xName: 'x', series: [{ name: 'n', className: 'a', points }] });
    expect(chart([])).toBe('');
    expect(chart([[5, 0]])).not.toMatch(/NaN|Infinity/);
    expect(
      chart([
        [0, 0],
        [1, 0],
      ]),
    ).not.toMatch(/NaN|Infinity/);
  });

  it.each([
    [0, 1],
    [0.7, 1],
    [1, 1],
    [1.2, 2],
    [2.1, 2.5],
    [26, 50],
    [999, 1_000],
  ])('rounds %d up to %d', (value, rounded) => {
    expect(niceCeiling(value)).toBeCloseTo(rounded);
  });
});
