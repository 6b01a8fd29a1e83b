/**
 * Connections of pg-boss's pool that tell how long their statements took: pg's pools take the kind of client as an option. Callers
 * who get no connection because all are in use meet no client: those are told by the pool itself.
 */
import { isUniqueViolation, type DatabaseObserver } from '@omnizap/runtime';
import pg from 'pg';

type Callback = (error: Error | null | undefined, ...results: unknown[]) => void;
/** Told already: the pool hands the failure of a client on to its caller, at times as the cause of another one. */
const told = new WeakSet<object>();

type AnyCall = (...parameters: unknown[]) => unknown;

export function measuredClient(observer: DatabaseObserver): new (config?: pg.ClientConfig) => pg.Client {
  function MeasuredClient(config?: pg.ClientConfig): pg.Client {
    const client = new pg.Client(config);
    const query = client.query.bind(client) as AnyCall;
    client.query = ((...parameters: unknown[]): unknown => {
      const startedAt = performance.now();
      // Many a duplicate is how pg-boss asks whether somebody was first.
      return watch(query, parameters, (error) =>
        observer.onQuery((performance.now() - startedAt) / 1_000, Boolean(error) && !isUniqueViolation(error)),
      );
    }) as typeof client.query;
    const connect = client.connect.bind(client) as AnyCall;
    client.connect = ((...parameters: unknown[]): unknown =>
      watch(connect, parameters, (error) => {
        if (!isObject(error)) return;
        told.add(error);
        observer.onNoConnection();
      })) as typeof client.connect;
    return client;
  }
  return MeasuredClient as unknown as new (config?: pg.ClientConfig) => pg.Client;
}

/** `query` of a pool asks its `connect` as well: whatever is asked of it is counted once. */
export function watchWaiting(pool: pg.Pool, observer: DatabaseObserver): void {
  const connect = pool.connect.bind(pool) as AnyCall;
  pool.connect = ((...parameters: unknown[]): unknown =>
    watch(connect, parameters, (error) => {
      if (!isObject(error) || told.has(error) || (isObject(error.cause) && told.has(error.cause))) return;
      observer.onNoConnection();
    })) as typeof pool.connect;
}

const isObject = (value: unknown): value is { cause?: unknown } => typeof value === 'object' && value !== null;

/** Calls `call`, which takes a callback at the end or returns a promise, and then `onEnd`. */
function watch(call: AnyCall, parameters: unknown[], onEnd: (error: unknown) => void): unknown {
  const callback = parameters.at(-1);
  if (typeof callback === 'function') {
    const ended: Callback = (error, ...results) => {
      onEnd(error);
      (callback as Callback)(error, ...results);
    };
    return call(...parameters.slice(0, -1), ended);
  }
  const answer = call(...parameters);
  if (answer instanceof Promise) answer.then(() => onEnd(undefined), onEnd);
  return answer;
}
