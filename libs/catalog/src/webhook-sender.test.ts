import { describe, expect, it } from '@jest/globals';
import { createWebhookSender } from './webhook-sender.ts';

const request = { url: 'https://receiver.example/hook', headers: {}, body: '{}' };
const signal = new AbortController().signal;
const notPublic = { problem: 'The host has no address in the public internet.' };

describe('the sender', () => {
  it.each([
    [['127.0.0.1']],
    [['::ffff:169.254.169.254']],
    // One good address among bad ones: the connection would choose.
    [['1.1.1.1', '10.0.0.1']],
    [[]],
  ])('connects to no host whose name leads to %j', async (addresses) => {
    const send = createWebhookSender({ allowPrivate: false }, () => Promise.resolve(addresses));

    expect(await send(request, signal)).toEqual(notPublic);
  });

  it('says the same of a name that nobody knows: whether an inner name exists is not to be learnt', async () => {
    const send = createWebhookSender({ allowPrivate: false }, () => Promise.reject(new Error('ENOTFOUND')));

    expect(await send(request, signal)).toEqual(notPublic);
  });

  it('judges an address in the URL that was taken under another setting, and its lack of TLS', async () => {
    const send = createWebhookSender({ allowPrivate: false });

    expect(await send({ ...request, url: 'https://127.0.0.1:9/' }, signal)).toEqual(notPublic);
    expect(await send({ ...request, url: 'http://1.1.1.1/' }, signal)).toEqual({
      problem: 'The URL does not start with https://.',
    });
  });

  it('ends with its process instead of blaming the receiver', async () => {
    const stop = new AbortController();
    const send = createWebhookSender({ allowPrivate: false }, () => new Promise(() => undefined));
    const sending = send(request, stop.signal);
    stop.abort(new Error('stopping'));

    await expect(sending).rejects.toThrow('stopping');
  });
});
