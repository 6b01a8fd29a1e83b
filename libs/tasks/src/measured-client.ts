/** Connections of pg-boss's pool that tell how long their statements took: pg's pools take the kind of client as an option. */
import type { DatabaseObserver } from '@omnizap/runtime';
import pg from 'pg';

type Callback = (error: Error | null | undefined, result?: unknown) => void;
type AnyCall = (...parameters: unknown[]) => unknown;

export function measuredClient(observer: DatabaseObserver): new (config?: pg.ClientConfig) => pg.Client {
  function MeasuredClient(config?: pg.ClientConfig): pg.Client {
    const client = new pg.Client(config);
    const query = client.query.bind(client) as AnyCall;
    client.query = ((...parameters: unknown[]): unknown => {
      const startedAt = performance.now();
      return watch(query, parameters, (isFailed) =>
        observer.onQuery((performance.now() - startedAt) / 1_000, isFailed),
      );
    }) as typeof client.query;
    const connect = client.connect.bind(client) as AnyCall;
    client.connect = ((...parameters: unknown[]): unknown =>
      watch(connect, parameters, (isFailed) => {
        if (isFailed) observer.onNoConnection();
      })) as typeof client.connect;
    return client;
  }
  return MeasuredClient as unknown as new (config?: pg.ClientConfig) => pg.Client;
}

/** Calls `call`, which takes a callback at the end or returns a promise, and then `onEnd`. */
function watch(call: AnyCall, parameters: unknown[], onEnd: (isFailed: boolean) => void): unknown {
  const callback = parameters.at(-1);
  if (typeof callback === 'function') {
    const told: Callback = (error, result) => {
      onEnd(Boolean(error));
      (callback as Callback)(error, result);
    };
    return call(...parameters.slice(0, -1), told);
  }
  const answer = call(...parameters);
  if (answer instanceof Promise)
    answer.then(
      () => onEnd(false),
      () => onEnd(true),
    );
  return answer;
}
