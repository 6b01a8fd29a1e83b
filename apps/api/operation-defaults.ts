/** What follows from an operation's method and access, unless it says otherwise. */
import type { Request } from 'express';
import type { LimitClass } from './limit-classes.ts';
import type { Operation } from './operation.ts';

/**
 * Reads that nobody in particular makes are answered from caches and cost less than to count them: they are not limited. What
 * computes although anybody may read it says so by itself.
 */
export function limitOf(operation: Operation, isKeyed: boolean, query: Request['query'] = {}): LimitClass | 'none' {
  if (operation.limit !== undefined) return operation.limit;
  if (operation.limitedBy?.some((name) => query[name] !== undefined) === true) return 'read';
  if (operation.access === 'admin') return 'admin';
  if (operation.method === 'get') return isKeyed ? 'read' : 'none';
  if (operation.rawBody) return 'upload';
  return operation.access === 'public' ? 'count' : 'write';
}

/** Whether some of its clients are counted. */
export function isLimited(operation: Operation): boolean {
  if (operation.limitedBy !== undefined) return true;
  const isKeyed = operation.access !== 'public';
  return limitOf(operation, isKeyed) !== 'none';
}

/** POSTs of key holders are carried out once for each Idempotency-Key. */
export function takesIdempotencyKey({ method, access }: Operation): boolean {
  return method === 'post' && access !== 'public' && access !== 'optional';
}

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
