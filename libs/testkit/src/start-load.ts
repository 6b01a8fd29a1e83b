/** Clients that ask as fast as they are answered, and keep count of what went wrong. */
import { Agent, get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

export type LoadCounts = {
  answered: number;
  /** What went wrong instead of an answer with status 200: a status or a system error, and how often. */
  failed: Record<string, number>;
};

export type Load = {
  counts: () => LoadCounts;
  /** Lets the requests that are under way end, and counts them. */
  stop: () => Promise<LoadCounts>;
};

/**
 * Servers close a connection that was quiet for 5 s. A client that was itself held up for nearly as long sends before it hears of
 * that, and the reset would be nobody's failure but its own: it asks by another connection.
 */
const staleMs = 4_000;

/**
 * `kept`: clients that stay on their connection. `fresh`: clients that open one for each request. Of several URLs each client takes
 * turns. `restMs`: what each rests between an answer and its next request; none when absent.
 */
export function startLoad(
  urls: string | string[],
  { kept, fresh, restMs = 0 }: { kept: number; fresh: number; restMs?: number },
): Load {
  const all = [urls].flat();
  const keeping = new Agent({ keepAlive: true, maxSockets: kept });
  const opening = new Agent({ keepAlive: false });
  const counts: LoadCounts = { answered: 0, failed: {} };
  let isOver = false;

  async function client(agent: Agent): Promise<void> {
    let answeredAt = performance.now();
    for (let turn = 0; !isOver; turn += 1) {
      const isStale = performance.now() - answeredAt > staleMs;
      const outcome = await outcomeOf(all[turn % all.length] ?? '', isStale ? opening : agent);
      answeredAt = performance.now();
      if (outcome === '200') counts.answered += 1;
      else counts.failed[outcome] = (counts.failed[outcome] ?? 0) + 1;
      if (restMs > 0) await delay(restMs);
    }
  }
  const clients = [...Array.from({ length: kept }, () => keeping), ...Array.from({ length: fresh }, () => opening)].map(
    client,
  );

  return {
    counts: () => counts,
    async stop() {
      isOver = true;
      await Promise.all(clients);
      keeping.destroy();
      opening.destroy();
      return counts;
    },
  };
}

function outcomeOf(url: string, agent: Agent): Promise<string> {
  return new Promise((resolve) => {
    get(url, { agent }, (response) => {
      response.once('error', (error) => resolve(error.message));
      response.once('end', () => resolve(String(response.statusCode)));
      response.resume();
    }).once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}
