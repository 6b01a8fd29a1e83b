import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { waitFor } from '@omnizap/testkit';
import { createProxy } from './proxy.ts';
import type { Proxy } from './proxy.ts';

/** Says back what it hears. */
let echo: Server;
let accepted: Socket[];
let proxy: Proxy;
const clients: Socket[] = [];

beforeEach(async () => {
  accepted = [];
  echo = createServer((socket) => {
    accepted.push(socket);
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => echo.listen({ host: '127.0.0.1', port: 0 }, resolve));
  const { port } = echo.address() as { port: number };
  proxy = await createProxy('mysql', () => ({ host: '127.0.0.1', port }));
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  for (const socket of accepted) socket.destroy();
  await proxy.close();
  await new Promise<void>((resolve) => echo.close(() => resolve()));
});

type Client = { socket: Socket; heard: () => string; error: () => string | null; isClosed: () => boolean };

async function open(): Promise<Client> {
  const socket = connect({ host: '127.0.0.1', port: proxy.port });
  clients.push(socket);
  let heard = '';
  let error: string | null = null;
  let isClosed = false;
  socket.setEncoding('utf8').on('data', (text: string) => (heard += text));
  socket.on('error', (thrown: NodeJS.ErrnoException) => (error = thrown.code ?? ''));
  socket.on('close', () => (isClosed = true));
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  return { socket, heard: () => heard, error: () => error, isClosed: () => isClosed };
}

async function say(client: Client, text: string): Promise<void> {
  client.socket.write(text);
  await waitFor(() => client.heard().endsWith(text), { description: `the echo of "${text}"` });
}

describe('the proxy', () => {
  it('passes bytes both ways and the end of a connection', async () => {
    const client = await open();

    await say(client, 'hello');
    client.socket.end();

    await waitFor(() => client.isClosed());
    expect(client.error()).toBeNull();
  });

  it('remembers which ports were its own, and only while they were', async () => {
    const before = Date.now();
    const client = await open();
    await say(client, 'hello');
    const port = accepted[0]?.remotePort ?? 0;

    expect(proxy.hadPort(port, Date.now())).toBe(true);
    expect(proxy.hadPort(port, before - 5_000)).toBe(false);
    expect(proxy.hadPort(1, Date.now())).toBe(false);
  });

  it('cuts connections and takes no new ones until it is healed', async () => {
    const client = await open();
    await say(client, 'hello');

    proxy.cut();
    await waitFor(() => client.isClosed());
    const refused = await open();
    await waitFor(() => refused.isClosed());
    proxy.heal();

    await say(await open(), 'again');
  });

  it('breaks connections with a reset', async () => {
    const client = await open();
    await say(client, 'hello');

    expect(proxy.reset()).toBe(1);

    await waitFor(() => client.isClosed());
    expect(client.error()).toBe('ECONNRESET');
    await say(await open(), 'again');
  });

  it('keeps silent in one direction and delivers late what was said, in order', async () => {
    const client = await open();
    await say(client, 'one ');

    proxy.silence(['down']);
    client.socket.write('two ');
    await waitFor(() => (accepted[0]?.bytesRead ?? 0) === 'one two '.length);
    client.socket.write('three ');
    await waitFor(() => (accepted[0]?.bytesWritten ?? 0) === 'one two three '.length);
    expect(client.heard()).toBe('one ');
    proxy.heal();

    await waitFor(() => client.heard() === 'one two three ');
  });

  it('does not tell a server that its client has gone while it is silent', async () => {
    const client = await open();
    await say(client, 'hello');
    let isServerTold = false;
    accepted[0]?.on('close', () => (isServerTold = true));

    proxy.silence(['up', 'down']);
    client.socket.destroy();
    await waitFor(() => client.isClosed());
    const other = await open();
    expect(other.isClosed()).toBe(false);
    expect(isServerTold).toBe(false);
    proxy.heal();

    await waitFor(() => isServerTold);
  });

  it('breaks silent connections when it is healed so', async () => {
    const client = await open();
    await say(client, 'hello');

    proxy.silence(['up']);
    proxy.heal(true);

    await waitFor(() => client.isClosed());
    expect(client.error()).toBe('ECONNRESET');
  });

  it('delays each direction', async () => {
    const client = await open();
    await say(client, 'hello');

    proxy.delay(60);
    const startedAt = performance.now();
    await say(client, 'slow');

    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(110);
  });

  it('holds a transaction back before its first word, and lets what comes before it pass', async () => {
    const client = await open();
    const query = (text: string): string => `${String.fromCharCode(text.length + 1)}\0\0\0\x03${text}`;
    await say(client, query('SELECT 1'));

    proxy.stallTransactions(80);
    await say(client, query('SELECT 2'));
    const startedAt = performance.now();
    client.socket.write(query('BEGIN'));
    await say(client, query('SELECT 3'));

    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(75);
    expect(client.heard().endsWith(`${query('BEGIN')}${query('SELECT 3')}`)).toBe(true);
    expect(proxy.hits()).toBe(1);
  });
});
