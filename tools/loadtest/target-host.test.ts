import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { checkTarget, isLoopback, pinnedLookup } from './target-host.ts';

const meaning =
  (...addresses: string[]) =>
  (): Promise<{ address: string; family: number }[]> =>
    Promise.resolve(addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })));

describe('the host of a load test', () => {
  it.each(['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1'])('may be %s', (address) => {
    expect(isLoopback(address)).toBe(true);
  });

  it.each(['10.0.0.1', '128.0.0.1', '0.0.0.0', '::', '2001:db8::1', '::ffff:10.0.0.1', 'localhost', ''])(
    'is another machine when it is "%s"',
    (address) => {
      expect(isLoopback(address)).toBe(false);
    },
  );

  it('is refused when a name means another machine, also beside this one', async () => {
    await expect(checkTarget('http://stickers.test:9102', false, meaning('10.1.2.3'))).rejects.toThrow(
      'stickers.test is 10.1.2.3, which is not this machine',
    );
    await expect(checkTarget('http://stickers.test', false, meaning('127.0.0.1', '10.1.2.3'))).rejects.toThrow(
      /--i-own-this-host/,
    );
    await expect(checkTarget('http://10.1.2.3', false)).rejects.toThrow(/^10\.1\.2\.3 is not this machine/);
  });

  it('is taken when its owner says so, and is then that one address', async () => {
    const target = await checkTarget('http://stickers.test', true, meaning('10.1.2.3'));
    expect(target).toEqual({ address: '10.1.2.3', family: 4 });
    const answers: unknown[] = [];
    pinnedLookup(target)('anything.else', { all: true }, (_error, found) => answers.push(found));
    pinnedLookup(target)('anything.else', {}, (_error, found, family) => answers.push(found, family));
    expect(answers).toEqual([[{ address: '10.1.2.3', family: 4 }], '10.1.2.3', 4]);
  });

  it('takes loopback addresses of both families and localhost', async () => {
    expect(await checkTarget('http://[::1]:9102', false)).toEqual({ address: '::1', family: 6 });
    expect(await checkTarget('http://127.0.0.1:9102', false)).toEqual({ address: '127.0.0.1', family: 4 });
    expect(isLoopback((await checkTarget('http://localhost', false)).address)).toBe(true);
  });

  it('is the address of a name that somebody listens at', async () => {
    const server = createServer((socket) => void socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.2', resolve));
    const { port } = server.address() as AddressInfo;
    const localhost = meaning('127.0.0.1', '127.0.0.2');
    try {
      expect((await checkTarget(`http://localhost:${port}`, false, localhost)).address).toBe('127.0.0.2');
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
    // Nobody: the one that the name means first, of which the tool then says that it does not answer.
    expect((await checkTarget(`http://localhost:${port}`, false, localhost)).address).toBe('127.0.0.1');
  });

  it('is refused when its name means nothing', async () => {
    const unknown = (): Promise<never> => Promise.reject(Object.assign(new Error('no'), { code: 'ENOTFOUND' }));
    await expect(checkTarget('http://nowhere.test', true, unknown)).rejects.toThrow(
      'nowhere.test cannot be found (ENOTFOUND)',
    );
  });
});
