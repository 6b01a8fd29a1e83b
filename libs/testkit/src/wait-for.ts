import { setTimeout as delay } from 'node:timers/promises';

type WaitOptions = {
  /** Default 10 s. */
  timeoutMs?: number;
  /** Between two looks; default 25 ms. */
  intervalMs?: number;
  /** What is waited for, for the message of a failure. */
  description?: string;
};

/**
 * Asks until the condition gives something truthy, and returns that. A condition that throws counts as "not yet"; when time is up
 * the last error is the failure's cause.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  options: WaitOptions = {},
): Promise<Exclude<T, false | null | undefined | 0 | ''>> {
  const { timeoutMs = 10_000, intervalMs = 25, description = 'a condition' } = options;
  const deadline = performance.now() + timeoutMs;
  let lastError: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value) return value as Exclude<T, false | null | undefined | 0 | ''>;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() >= deadline) {
      const reason = lastError instanceof Error ? `: ${lastError.message}` : '';
      throw new Error(`Waited ${timeoutMs} ms in vain for ${description}${reason}`, { cause: lastError });
    }
    await delay(intervalMs);
  }
}
