/** What follows from an operation's method and access, unless it says otherwise. */
import type { Operation } from './operation.ts';

/** Pages of other sites may ask what anybody may ask; they never get an answer that was given for a key. */
export function isForOtherSites(operation: Operation): boolean {
  return operation.isForOtherSites ?? (operation.access === 'public' || operation.access === 'optional');
}

/** Media types of a good answer; none: it has no body. */
export function mediaTypesOf(operation: Operation): string[] {
  const types = Object.entries(operation.responses)
    .filter(([status, { schema }]) => status.startsWith('2') && schema !== undefined)
    .map(([, { contentType }]) => contentType ?? 'application/json');
  return [...new Set(types)];
}
