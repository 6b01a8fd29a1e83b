/**
 * One POST to a receiver that a stranger has named. A name is resolved first, all of its addresses are judged, and exactly these
 * are connected to: what a name server answers to a second question does not count. No redirect is followed, no connection is
 * kept, and of the answer only its status is looked at.
 */
import { lookup, Resolver } from 'node:dns/promises';
import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { isPublicAddress, ownNetworks } from './public-address.ts';
import { literalAddress, type WebhookOptions } from './webhook-url.ts';

/** From the look-up of the name to the status of the answer. */
const timeoutMs = 5_000;
/** Of one question to one name server. */
const resolveTimeoutMs = 2_000;

export type WebhookRequest = { url: string; headers: Record<string, string>; body: string };
/** `problem`: there was no answer; a few words for the owner, who learns nothing about this host or its network from them. */
export type WebhookAnswer = { httpStatus: number } | { problem: string };
export type SendWebhook = (request: WebhookRequest, signal: AbortSignal) => Promise<WebhookAnswer>;
type Resolve = (host: string) => Promise<string[]>;

const notPublic = { problem: 'The host has no address in the public internet.' };

export function createWebhookSender(
  { allowPrivate }: Pick<WebhookOptions, 'allowPrivate'>,
  resolve: Resolve = allowPrivate ? resolveAsTheHostDoes : resolveByNameServers,
): SendWebhook {
  async function addressesOf(url: URL): Promise<string[]> {
    const literal = literalAddress(url);
    return literal === null ? resolve(url.hostname).catch(() => []) : [literal];
  }

  /** Interfaces come and go. */
  function areForEverybody(addresses: string[]): boolean {
    const own = ownNetworks();
    return addresses.every((one) => isPublicAddress(one) && !own.check(one, isIP(one) === 6 ? 'ipv6' : 'ipv4'));
  }

  /** Rejects with the reason of `signal` when the process wants to stop: nobody's failure. */
  return async (request, signal) => {
    const deadline = AbortSignal.timeout(timeoutMs);
    const either = AbortSignal.any([signal, deadline]);
    try {
      const url = new URL(request.url);
      // The setting may have changed since it was registered.
      if (url.protocol !== 'https:' && !allowPrivate) return { problem: 'The URL does not start with https://.' };
      const addresses = await unlessAborted(addressesOf(url), either);
      const isFit = addresses.length > 0 && (allowPrivate || areForEverybody(addresses));
      return isFit ? { httpStatus: await post(url, addresses, request, either) } : notPublic;
    } catch {
      signal.throwIfAborted();
      if (deadline.aborted) return { problem: `No answer within ${timeoutMs / 1_000} seconds.` };
      // Not how: that would tell ports that listen from others.
      return { problem: 'The connection failed.' };
    }
  };
}

/** Asks the name servers without the threads of the process: names that take for ever must not keep its files waiting. */
async function resolveByNameServers(host: string): Promise<string[]> {
  const resolver = new Resolver({ timeout: resolveTimeoutMs, tries: 1 });
  const found = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
  return found.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
}

/** Also knows the names of the host's own file. */
async function resolveAsTheHostDoes(host: string): Promise<string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
  return Promise.race([work, aborted]);
}

function post(url: URL, addresses: string[], request: WebhookRequest, signal: AbortSignal): Promise<number> {
  const found = addresses.map((address) => ({ address, family: isIP(address) }));
  const judged: LookupFunction = (_host, options, answer) => {
    const [first] = found;
    if (options.all === true) answer(null, found);
    else answer(null, first?.address ?? '', first?.family);
  };
  const send = url.protocol === 'https:' ? requestTls : requestPlain;
  return new Promise((resolve, reject) => {
    const headers = { ...request.headers, 'Content-Length': Buffer.byteLength(request.body) };
    const options = { method: 'POST', agent: false as const, lookup: judged, headers, signal };
    const sent = send(url, options, (response) => {
      resolve(response.statusCode ?? 0);
      response.on('error', () => undefined);
      sent.destroy();
    });
    sent.on('error', reject);
    // As after an upgrade that nobody asked for: there is neither an answer nor an error.
    sent.on('close', () => reject(new Error('The connection was closed without an answer.')));
    sent.end(request.body);
  });
}
