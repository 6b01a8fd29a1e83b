/** Whom Alertmanager tells: a receiver on the loopback that keeps everything it is told. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { z } from 'zod';

export type Told = { alert: string; status: 'firing' | 'resolved' };

export type Receiver = {
  /** For a `webhook_configs` of Alertmanager. */
  url: string;
  /** In the order in which it came; what goes on comes again. */
  told: () => Told[];
  stop: () => Promise<void>;
};

const message = z.object({
  alerts: z.array(z.object({ status: z.enum(['firing', 'resolved']), labels: z.object({ alertname: z.string() }) })),
});

export async function startReceiver(): Promise<Receiver> {
  const told: Told[] = [];
  const server = createServer((request, response) => {
    void json(request)
      .then((body) => {
        for (const { status, labels } of message.parse(body).alerts) told.push({ alert: labels.alertname, status });
      })
      .then(
        () => response.end(),
        () => response.destroy(),
      );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    told: () => [...told],
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
