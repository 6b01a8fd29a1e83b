/** Growing pauses between restarts, so that a process that cannot live does not take the machine with it. */

const FIRST_MS = 500;
const LONGEST_MS = 15_000;
/** Whoever stayed up that long is healthy: its next end is a new story. */
const HEALTHY_AFTER_MS = 60_000;

/** `next(upMs)`: the pause before the next start of something that was up for `upMs`. */
export function createBackoff(): { next: (upMs: number) => number } {
  let pauseMs = FIRST_MS;
  return {
    next: (upMs) => {
      if (upMs >= HEALTHY_AFTER_MS) pauseMs = FIRST_MS;
      const current = pauseMs;
      pauseMs = Math.min(pauseMs * 2, LONGEST_MS);
      return current;
    },
  };
}
