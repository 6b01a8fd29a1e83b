import { describe, expect, it } from '@jest/globals';
import { printFigures, summarise } from './report.ts';

const latency = (value: number) => ({ name: 'p95', unit: 'ms', value, target: { atMost: 100 } });
const rate = (value: number) => ({ name: 'rate', unit: '/s', value, target: { atLeast: 50 } });

describe('summarise', () => {
  it('claims the median of the rounds, so that one disturbed round decides nothing', () => {
    const [figure] = summarise([[latency(90)], [latency(900)], [latency(80)]]);
    expect(figure).toMatchObject({ value: 90, rounds: [90, 900, 80], isReached: true });
  });

  it('counts a target as reached when the figure equals it', () => {
    expect(summarise([[latency(100), rate(50)]]).map(({ isReached }) => isReached)).toEqual([true, true]);
    expect(summarise([[latency(101), rate(49)]]).map(({ isReached }) => isReached)).toEqual([false, false]);
  });

  it('says nothing about a figure without a target', () => {
    expect(summarise([[{ name: 'x', unit: 's', value: 1 }]])[0]?.isReached).toBeNull();
  });
});

describe('printFigures', () => {
  it('names the target and whether it was reached', () => {
    const text = printFigures(summarise([[latency(130), rate(70)]]));
    expect(text).toMatch(/130 ms .*NOT REACHED: at most 100/);
    expect(text).toMatch(/70 \/s .*reached: at least 50/);
  });
});
