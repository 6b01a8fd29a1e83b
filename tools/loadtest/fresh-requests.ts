/**
 * What to ask for, looked up again before cursors and what else a catalogue hands out for a time are no longer good: within a long
 * run, and between the short ones of a search.
 */
import type { RequestGroup } from './request-mix.ts';

/** Cursors are good for a quarter of an hour after their ranking was replaced. */
export const freshMs = 300_000;

export type FreshRequests = {
  /** No older than five minutes, when the target answers. */
  current: () => Promise<RequestGroup[]>;
  /** Looked up now. The same groups in the same order: one that is empty now keeps what it had. @throws what the look-up throws */
  renew: () => Promise<RequestGroup[]>;
};

/** `groups` were found just now. Without `discover` they are good for ever. */
export function createFreshRequests(
  groups: RequestGroup[],
  discover: (() => Promise<RequestGroup[]>) | null,
  clock: () => number = () => performance.now(),
): FreshRequests {
  let found = groups;
  let foundAtMs = clock();

  async function renew(): Promise<RequestGroup[]> {
    if (discover === null) return found;
    const renewed = await discover();
    foundAtMs = clock();
    found = found.map((group) => renewed.find(({ label }) => label === group.label) ?? group);
    return found;
  }

  return {
    // The old ones may still do; when they do not, the answers say so.
    current: async () => (clock() - foundAtMs < freshMs ? found : await renew().catch(() => found)),
    renew,
  };
}
