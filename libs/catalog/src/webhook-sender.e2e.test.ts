/** The sender against receivers on this machine that do not behave. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { createWebhookSender } from './webhook-sender.ts';

const signal = new AbortController().signal;
const servers: Server[] = [];

async function listen(handle: Parameters<typeof createServer>[1]): Promise<number> {
  const server = createServer({}, handle).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

describe('the sender of webhooks', () => {
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.close();
      server.closeAllConnections();
    }
  });

  it('connects to the addresses that were judged, whatever the name leads to by then', async () => {
    const asked: (string | undefined)[] = [];
    const port = await listen((request, response) => {
      asked.push(request.headers.host);
      response.writeHead(204).end();
    });
    // No name server knows this one (RFC 6761): only the given address can lead there.
    const send = createWebhookSender({ allowPrivate: true }, () => Promise.resolve(['127.0.0.1']));

    const answer = await send({ url: `http://receiver.invalid:${port}/`, headers: {}, body: '{}' }, signal);

    expect([answer, asked]).toEqual([{ httpStatus: 204 }, [`receiver.invalid:${port}`]]);
  });

  it('follows no redirect, reads no endless answer and takes no other protocol', async () => {
    const paths: string[] = [];
    const port = await listen((request, response) => {
      paths.push(request.url ?? '');
      if (request.url === '/redirect') response.writeHead(307, { Location: '/elsewhere' }).end();
      else if (request.url === '/upgrade') response.writeHead(101, { Connection: 'Upgrade', Upgrade: 'other' }).end();
      else response.writeHead(200).write('x');
    });
    const send = createWebhookSender({ allowPrivate: true });
    const ask = (path: string) => send({ url: `http://127.0.0.1:${port}${path}`, headers: {}, body: '{}' }, signal);

    expect(await ask('/redirect')).toEqual({ httpStatus: 307 });
    expect(await ask('/endless')).toEqual({ httpStatus: 200 });
    expect(await ask('/upgrade')).toEqual({ problem: 'The connection failed.' });
    expect(paths).toEqual(['/redirect', '/endless', '/upgrade']);
  });

  it('gives up after five seconds on whoever says nothing', async () => {
    const port = await listen(() => undefined);
    const send = createWebhookSender({ allowPrivate: true });
    const startedAt = performance.now();

    const answer = await send({ url: `http://127.0.0.1:${port}/`, headers: {}, body: '{}' }, signal);

    expect(answer).toEqual({ problem: 'No answer within 5 seconds.' });
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(4_900);
  }, 30_000);

  it('says that nobody listens', async () => {
    const port = await listen(() => undefined);
    const [server] = servers.splice(0);
    server?.close();
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'error');

    const send = createWebhookSender({ allowPrivate: true });
    const answer = await send({ url: `http://127.0.0.1:${port}/`, headers: {}, body: '{}' }, signal);
    expect(answer).toEqual({ problem: 'The connection failed.' });
  });
});
