/** Thousands of errors as the few causes that a person has to look at: grouped by type and by the error's first line without ids. */
import type { ErrorHead } from '@omnizap/outbox';

export type ErrorGroup = {
  type: string;
  /** First line of the error, with `…` for what differs from one to the next: ids, numbers. */
  error: string;
  count: number;
  firstFailedAt: Date;
  lastFailedAt: Date;
  /** The longest part that all of them share word for word: what to give to a filter by error text. */
  contains: string;
};

/** UUIDs, hashes and other long hexadecimal words with a digit in them, numbers. */
const variable =
  /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b|\b(?=[a-f]*\d)[0-9a-f]{8,}\b|\d+(?:[.:]\d+)*/gi;
const placeholder = '…';
const longestContains = 120;

/** The largest group first; of equal ones, the one that failed last. */
export function groupErrors(heads: ErrorHead[]): ErrorGroup[] {
  const groups = new Map<string, ErrorGroup>();
  for (const { type, head, firstFailedAt, failedAt } of heads) {
    const line = head.split('\n', 1)[0] ?? '';
    const error = line.replaceAll(variable, placeholder);
    const key = `${type}\n${error}`;
    const group = groups.get(key);
    if (group) {
      group.count += 1;
      if (firstFailedAt < group.firstFailedAt) group.firstFailedAt = firstFailedAt;
      if (failedAt > group.lastFailedAt) group.lastFailedAt = failedAt;
    } else {
      const contains = longestConstant(line);
      groups.set(key, { type, error, count: 1, firstFailedAt, lastFailedAt: failedAt, contains });
    }
  }
  return [...groups.values()].sort((a, b) => b.count - a.count || b.lastFailedAt.getTime() - a.lastFailedAt.getTime());
}

/** The form that goes over HTTP and to `--json`. */
export function errorGroupJson(group: ErrorGroup) {
  return {
    type: group.type,
    error: group.error,
    count: group.count,
    first_failed_at: group.firstFailedAt.toISOString(),
    last_failed_at: group.lastFailedAt.toISOString(),
    contains: group.contains,
  };
}

function longestConstant(line: string): string {
  const parts = line.split(variable).map((part) => part.trim());
  return parts.reduce((longest, part) => (part.length > longest.length ? part : longest), '').slice(0, longestContains);
}
