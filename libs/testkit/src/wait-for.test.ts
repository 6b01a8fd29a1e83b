import { describe, expect, it } from '@jest/globals';
import { waitFor } from './wait-for.ts';

describe('waitFor', () => {
  it('returns the first truthy value, and takes an error for "not yet"', async () => {
    let calls = 0;

    const value = await waitFor(
      () => {
        calls += 1;
        if (calls === 1) throw new Error('too early');
        return calls === 3 ? 'found' : null;
      },
      { intervalMs: 1 },
    );

    expect([value, calls]).toEqual(['found', 3]);
  });

  it('names what it waited for, and the last error, when time is up', async () => {
    const condition = (): never => {
      throw new Error('still closed');
    };

    await expect(waitFor(condition, { timeoutMs: 5, intervalMs: 1, description: 'the door' })).rejects.toThrow(
      /5 ms in vain for the door: still closed/,
    );
  });
});
