import { afterEach, describe, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import { listen, listenOnFirstFree } from './listen.ts';

const host = '127.0.0.1';
const open: Server[] = [];
const newServer = (): Server => {
  const server = createServer();
  open.push(server);
  return server;
};
afterEach(() => open.splice(0).forEach((server) => server.close()));

describe('listen', () => {
  it('names the variable to change when the port is taken', async () => {
    const port = await listen(newServer(), { port: 0, host, portVariable: 'PORT' });

    const attempt = listen(newServer(), { port, host, portVariable: 'RELAY_PORT' });

    await expect(attempt).rejects.toMatchObject({
      code: 'configuration-invalid',
      message: `Port ${port} on 127.0.0.1 is taken: set RELAY_PORT to another one.`,
    });
  });

  it('shares a port with those who asked for it as well, and with nobody else', async () => {
    const port = await listen(newServer(), { port: 0, host, portVariable: 'PORT', isShared: true });
    const shared = await listen(newServer(), { port, host, portVariable: 'PORT', isShared: true });

    expect(shared).toBe(port);
    await expect(listen(newServer(), { port, host, portVariable: 'PORT' })).rejects.toThrow('is taken');
  });
});

describe('listenOnFirstFree', () => {
  it('takes the next free port, seven in all, and any when asked for 0', async () => {
    const place = { port: await firstOfSevenFree(), host, portVariable: 'API_METRICS_PORT' };

    const ports: number[] = [];
    for (let count = 0; count < 7; count += 1) ports.push(await listenOnFirstFree(newServer(), place));
    const eighth = listenOnFirstFree(newServer(), place);

    expect(ports).toEqual(ports.map((_, index) => place.port + index));
    await expect(eighth).rejects.toThrow(`Port ${place.port + 6} on 127.0.0.1 is taken: set API_METRICS_PORT`);
    expect(await listenOnFirstFree(newServer(), { ...place, port: 0 })).toBeGreaterThan(0);
  });
});

/** Below the ports that the system gives away by itself. */
async function firstOfSevenFree(): Promise<number> {
  for (let first = 20_000 + (process.pid % 500) * 20; ; first += 10) {
    const held: Server[] = [];
    try {
      for (let port = first; port < first + 7; port += 1) {
        const server = createServer();
        await listen(server, { port, host, portVariable: 'PORT' });
        held.push(server);
      }
      return first;
    } catch {
      // Somebody is there: try further up.
    } finally {
      await Promise.all(held.map((server) => new Promise((resolve) => server.close(resolve))));
    }
  }
}
