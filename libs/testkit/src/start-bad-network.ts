/** A TCP relay to a server whose network can be made slow, to drop everything without saying so, or to refuse everybody. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export type BadNetwork = {
  /** On 127.0.0.1. */
  port: number;
  /** Nothing arrives, in either direction; connections stay. */
  drop: (isOn: boolean) => void;
  /** Connections are cut, and new ones are closed at once: as of a server that is stopped. */
  refuse: (isOn: boolean) => void;
  /** Whatever arrives, in either direction, arrives so much later. */
  slow: (delayMs: number) => void;
  close: () => Promise<void>;
};

export async function startBadNetwork(target: { host: string; port: number }): Promise<BadNetwork> {
  const sockets = new Set<Socket>();
  let isDropping = false;
  let isRefusing = false;
  let delayMs = 0;
  const server = createServer((client) => {
    if (isRefusing) {
      client.destroy();
      return;
    }
    const upstream = connect(target);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      // One after the other: what comes later must not overtake what waits.
      let last = Promise.resolve();
      from.on('data', (bytes) => {
        if (isDropping) return;
        const arrivesAt = performance.now() + delayMs;
        last = last.then(async () => {
          const waitMs = arrivesAt - performance.now();
          if (waitMs > 0) await delay(waitMs);
          to.write(bytes);
        });
      });
      // A closed side tells the other only while the network works.
      from.on('close', () => {
        sockets.delete(from);
        if (!isDropping) to.destroy();
      });
      from.on('error', () => undefined);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cutAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    drop(isOn) {
      isDropping = isOn;
    },
    refuse(isOn) {
      isRefusing = isOn;
      if (isOn) cutAll();
    },
    slow(milliseconds) {
      delayMs = milliseconds;
    },
    async close() {
      cutAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
