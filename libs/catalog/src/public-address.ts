/**
 * Which addresses are those of the public internet. What owners have us call must be one of them: anything else would let them
 * reach what only this host can reach. Of IPv6 only what is given out as global unicast counts, so whatever is not known is refused.
 *
 * Source: IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890 and what updates it), IPv6 Address Space (2000::/3).
 */
import { BlockList, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';

const specialOfIpv4: [string, number][] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  // Shared by providers behind one address (RFC 6598).
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  // Link-local; clouds answer with credentials there.
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  // Multicast, reserved, broadcast.
  ['224.0.0.0', 3],
];

/** Within 2000::/3. Teredo (2001::/32, within the first) and 6to4 carry IPv4 addresses that would have to be judged as well. */
const specialOfIpv6: [string, number][] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

const special = new BlockList();
for (const [network, prefix] of specialOfIpv4) special.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of specialOfIpv6) special.addSubnet(network, prefix, 'ipv6');
const global = new BlockList();
global.addSubnet('2000::', 3, 'ipv6');

/** `address` as a socket takes it, without brackets. Anything else is not public. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !special.check(address, 'ipv4');
    case 6:
      return !address.includes('%') && global.check(address, 'ipv6') && !special.check(address, 'ipv6');
    default:
      return false;
  }
}

/** Those of the networks that this host is part of, public ones too: what is beside it may trust it. Addresses with a prefix of their own. */
export function ownNetworks(interfaces = networkInterfaces()): BlockList {
  const own = new BlockList();
  for (const { cidr, family } of Object.values(interfaces).flatMap((addresses) => addresses ?? [])) {
    const [network, prefix] = cidr?.split('/') ?? [];
    if (network !== undefined && prefix !== undefined)
      own.addSubnet(network, Number(prefix), family === 'IPv6' ? 'ipv6' : 'ipv4');
  }
  return own;
}
