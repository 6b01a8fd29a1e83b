import { expect, it } from '@jest/globals';
import { Agent, createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { waitFor } from '@omnizap/testkit';
import { closeServer, prepareToClose } from './close-server.ts';

it('tells the client of a request that is under way when it stops listening to come back by another connection', async () => {
  const arrived = Promise.withResolvers<void>();
  const mayAnswer = Promise.withResolvers<void>();
  const server = createServer((_request, response) => {
    arrived.resolve();
    void mayAnswer.promise.then(() => response.end('late'));
  });
  const sayGoodbye = prepareToClose(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const agent = new Agent({ keepAlive: true });
  const { port } = server.address() as AddressInfo;
  const answer = new Promise<string | undefined>((resolve, reject) => {
    get({ host: '127.0.0.1', port, agent }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.headers.connection));
    }).once('error', reject);
  });
  await arrived.promise;

  const closing = closeServer(server, sayGoodbye);
  await waitFor(() => !server.listening);
  mayAnswer.resolve();

  expect(await answer).toBe('close');
  await closing;
  agent.destroy();
});
