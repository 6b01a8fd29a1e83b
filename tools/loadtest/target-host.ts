/**
 * Which machine the load goes to. Only this one, unless whoever asks says that the other is theirs: load on a stranger's host is an
 * attack. A name is resolved once and every connection goes to that address, so that it cannot mean another host a moment later.
 */
import { lookup } from 'node:dns/promises';
import { BlockList, connect, isIP, type LookupFunction } from 'node:net';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');
loopback.addSubnet('::ffff:127.0.0.0', 104, 'ipv6');

export type TargetAddress = { address: string; family: 4 | 6 };
const probeTimeoutMs = 3_000;

type Resolve = (name: string) => Promise<{ address: string; family: number }[]>;

export function isLoopback(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && loopback.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

/** @throws Error with a line for the user when the host is not allowed, or its name means none */
export async function checkTarget(
  baseUrl: string,
  isForeignHostAllowed: boolean,
  resolve: Resolve = async (name) => await lookup(name, { all: true }),
): Promise<TargetAddress> {
  const host = new URL(baseUrl).hostname.replace(/^\[(.*)\]$/, '$1');
  const found = await resolve(host).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`${host} cannot be found (${error.code ?? error.message}): check --base-url`);
  });
  const foreign = found.find(({ address }) => !isLoopback(address));
  if (foreign && !isForeignHostAllowed) {
    const meaning = foreign.address === host ? '' : ` is ${foreign.address}, which`;
    throw new Error(
      `${host}${meaning} is not this machine. A load test can bring a host down: add --i-own-this-host when it is yours to break`,
    );
  }
  const [first] = found;
  if (!first) throw new Error(`${host} has no address: check --base-url`);
  const { address, family } = found.length === 1 ? first : ((await firstThatListens(baseUrl, found)) ?? first);
  return { address, family: family === 6 ? 6 : 4 };
}

/** localhost is two addresses on many machines, and a server often listens on one of them. */
async function firstThatListens(
  baseUrl: string,
  found: { address: string; family: number }[],
): Promise<{ address: string; family: number } | null> {
  const { port, protocol } = new URL(baseUrl);
  for (const each of found)
    if (await isListening(each.address, Number(port || (protocol === 'https:' ? 443 : 80)))) return each;
  return null;
}

async function isListening(host: string, port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ host, port, timeout: probeTimeoutMs });
    const end = (isOpen: boolean): void => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}

/** Answers every question for a name with that one address. */
export function pinnedLookup({ address, family }: TargetAddress): LookupFunction {
  return (_name, options, callback) => {
    if (options.all === true) callback(null, [{ address, family }]);
    else callback(null, address, family);
  };
}
