/** Which problems an operation may answer with: those that follow from its shape, and those that it names itself. */
import { errorRegistry, type ErrorCode } from '@omnizap/runtime';
import { isLimited, mediaTypesOf, takesIdempotencyKey } from './operation-defaults.ts';
import type { Operation } from './operation.ts';
import { missingCodeOf } from './path-parameters.ts';

/** Any request: its URL cannot be decoded or is too long, its method is another one, it takes for ever, the database is away. */
const ofEveryOperation: ErrorCode[] = [
  'bad-request',
  'headers-too-large',
  'invalid-parameter',
  'method-not-allowed',
  'request-timeout',
  'unavailable',
];
const ofEveryKeyedPost: ErrorCode[] = ['answer-lost', 'idempotency-key-reused', 'request-in-flight'];
const ofEveryBody: ErrorCode[] = ['payload-too-large', 'unsupported-media-type', 'validation-failed'];

/** The codes by HTTP status, in rising order of both. */
export function problemsOf(operation: Operation): Map<number, ErrorCode[]> {
  const { access, method, params = {}, query, body, rawBody, responses, headers = [], problems = [] } = operation;
  const isChange = access === 'catalog:write' && method !== 'get';
  const codes = new Set<ErrorCode>([
    ...ofEveryOperation,
    ...(mediaTypesOf(operation).length > 0 ? (['not-acceptable'] as const) : []),
    ...(isLimited(operation) ? (['rate-limited'] as const) : []),
    ...(takesIdempotencyKey(operation) ? ofEveryKeyedPost : []),
    ...(isChange ? (['owner-banned'] as const) : []),
    ...(isChange && rawBody ? (['sticker-banned'] as const) : []),
    ...(access === 'public' ? [] : (['unauthorized'] as const)),
    ...(access === 'public' || access === 'optional' ? [] : (['forbidden'] as const)),
    ...Object.keys(params).map(missingCodeOf),
    ...(access === 'catalog:write' && 'packKey' in params ? (['pack-not-editable'] as const) : []),
    ...(query && 'cursor' in query.shape ? (['invalid-cursor'] as const) : []),
    ...(body || rawBody ? ofEveryBody : []),
    ...(body ? (['malformed-json'] as const) : []),
    ...(206 in responses ? (['range-not-satisfiable'] as const) : []),
    ...(206 in responses || headers.includes('If-Match') ? (['precondition-failed'] as const) : []),
    ...problems,
  ]);
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of [...codes].toSorted()) {
    const { status } = errorRegistry[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return new Map([...byStatus].toSorted(([a], [b]) => a - b));
}
