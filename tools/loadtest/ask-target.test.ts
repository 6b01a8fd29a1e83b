import { describe, expect, it } from '@jest/globals';
import { createTargetClient, NotOnTargetError } from './ask-target.ts';

describe('a process that the target names', () => {
  it.each([
    ['127.0.0.1:9', '192.0.2.1'],
    ['[::1]:9', '192.0.2.1'],
    ['192.0.2.2:9', '192.0.2.1'],
    ['192.0.2.2:9', '127.0.0.1'],
    ['localhost:9', '127.0.0.1'],
  ])('is not asked at %s when the load goes to %s', async (host, address) => {
    const client = createTargetClient('http://stickers.test', { address, family: 4 });
    await expect(client.askProcess(`http://${host}/metrics`)).rejects.toThrow(NotOnTargetError);
    await client.close();
  });

  it.each(['127.0.0.1', '127.0.0.2'])('is asked at %s when the load goes to this machine', async (host) => {
    const client = createTargetClient('http://localhost', { address: '127.0.0.1', family: 4 });
    await expect(client.askProcess(`http://${host}:1/metrics`)).rejects.toThrow(/ECONNREFUSED/);
    await client.close();
  });
});
