/** A TCP relay to a server whose network can be made to drop everything without saying so. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export async function createBlackHole(target: { host: string; port: number }) {
  const sockets = new Set<Socket>();
  let isDropping = false;
  const server = createServer((client) => {
    const upstream = connect(target);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (bytes) => {
        if (!isDropping) to.write(bytes);
      });
      // A closed side tells the other only while the network works.
      from.on('close', () => {
        if (!isDropping) to.destroy();
      });
      from.on('error', () => undefined);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    drop(isOn: boolean): void {
      isDropping = isOn;
    },
    async close(): Promise<void> {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
