/**
 * Load at a rate that does not depend on the answers: a server that becomes slow is not asked less often, as it would be by a
 * fixed number of clients. A latency counts from the moment at which the request was due, whenever it could be sent.
 */
import { Agent, get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

const maxSockets = 64;

export type OpenLoopOptions = {
  baseUrl: string;
  /** Asked in turn, by their weight in the list. */
  paths: string[];
  perSecond: number;
  seconds: number;
  /** 0 inclusive to 1 exclusive: when the next request is due, and which. */
  random: () => number;
  signal: AbortSignal;
};

/** Milliseconds of each request. Rejects when any is answered with something else than 200. */
export async function runOpenLoop(options: OpenLoopOptions): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets });
  const running: Promise<number>[] = [];
  const startedAt = performance.now();
  const endsAt = startedAt + options.seconds * 1_000;
  try {
    let dueAt = startedAt;
    for (;;) {
      dueAt += (-Math.log(1 - options.random()) * 1_000) / options.perSecond;
      if (dueAt >= endsAt) break;
      const waitMs = dueAt - performance.now();
      if (waitMs > 0) await delay(waitMs, undefined, { signal: options.signal });
      const path = options.paths[Math.floor(options.random() * options.paths.length)] ?? '/';
      const asking = ask(new URL(path, options.baseUrl), agent, dueAt);
      asking.catch(() => undefined);
      running.push(asking);
    }
    return await Promise.all(running);
  } finally {
    agent.destroy();
  }
}

async function ask(url: URL, agent: Agent, dueAt: number): Promise<number> {
  return await new Promise((resolve, reject) => {
    const send = (): void => {
      const asking = get(url, { agent }, (response) => {
        response.on('error', reject);
        response.on('end', () => {
          if (response.statusCode === 200) resolve(performance.now() - dueAt);
          else reject(new Error(`${url.pathname} was answered ${String(response.statusCode)}`));
        });
        response.resume();
      });
      asking.on('error', (error: NodeJS.ErrnoException) => {
        // A kept connection that the server was just closing: every client asks again, and the time goes on counting.
        if (asking.reusedSocket && error.code === 'ECONNRESET') send();
        else reject(error);
      });
    };
    send();
  });
}
