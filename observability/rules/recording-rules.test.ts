import { describe, expect, it } from '@jest/globals';
import { parseDuration } from './duration.ts';
import { recordingGroups } from './recording-rules.ts';

/** Prometheus forgets a series whose last sample is older, as delivered (--query.lookback-delta). */
const lookbackMs = 300_000;

describe('recorded series', () => {
  it.each(recordingGroups)(
    'of $name are still known when one evaluation comes a whole interval late',
    ({ interval }) => {
      expect(2 * parseDuration(interval)).toBeLessThan(lookbackMs);
    },
  );
});
