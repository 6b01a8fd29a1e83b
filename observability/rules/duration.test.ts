import { describe, expect, it } from '@jest/globals';
import { parseDuration, scaleDuration, scaleExpression } from './duration.ts';

describe('durations', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['6d23h30m', 603_000_000],
  ])('%s is read', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  it.each(['', '5', 'm', '5 m', '1y'])('"%s" is refused', (text) => {
    expect(() => parseDuration(text)).toThrow('is no duration');
  });

  it.each([
    ['1h', 60, '1m'],
    ['5m', 60, '5s'],
    ['30s', 60, '500ms'],
    ['23h30m', 60, '1410s'],
    ['3d', 1, '3d'],
    ['0s', 60, '0s'],
  ])('%s divided by %d is %s', (text, timeScale, scaled) => {
    expect(scaleDuration(text, timeScale)).toBe(scaled);
  });

  it('are found in windows and offsets, not in names and labels', () => {
    const expression = 'rate(a:b:increase1h{x="5m"}[5m]) > 300 and avg_over_time(c[1h] offset 1d) > 1';
    expect(scaleExpression(expression, 60)).toBe(
      'rate(a:b:increase1h{x="5m"}[5s]) > 300 and avg_over_time(c[1m] offset 24m) > 1',
    );
  });
});
