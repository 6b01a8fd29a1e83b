import { describe, expect, it } from '@jest/globals';
import { isPublicAddress, ownNetworks } from './public-address.ts';

const ofTheInternet = [
  ...['1.1.1.1', '8.8.8.8', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255'],
  ...['128.0.0.0', '169.253.255.255', '169.255.0.0', '172.15.255.255', '172.32.0.0', '192.167.255.255', '192.169.0.0'],
  ...['198.17.255.255', '198.20.0.0', '203.0.112.255', '203.0.114.0', '223.255.255.255'],
  ...['2606:4700:4700::1111', '2001:4860:4860::8888', '2a00:1450:4001:80b::200e', '2001:200::1'],
];
const ofNobodyElse = [
  ...[
    '0.0.0.0',
    '0.1.2.3',
    '10.0.0.0',
    '10.255.255.255',
    '100.64.0.0',
    '100.127.255.255',
    '127.0.0.1',
    '127.255.255.254',
  ],
  ...['169.254.169.254', '172.16.0.0', '172.31.255.255', '192.0.0.8', '192.0.2.1', '192.88.99.1', '192.168.0.1'],
  ...['198.18.0.1', '198.19.255.255', '198.51.100.7', '203.0.113.9', '224.0.0.1', '239.255.255.255', '240.0.0.1'],
  ...['255.255.255.255', '::', '::1', '::127.0.0.1', '::ffff:127.0.0.1', '::ffff:10.0.0.1', '::ffff:8.8.8.8'],
  ...['::ffff:7f00:1', '64:ff9b::7f00:1', '64:ff9b:1::1', '100::1', '2001::1', '2001:0:53aa:64c::1', '2001:10::1'],
  ...['2001:db8::1', '2002:7f00:1::', '3fff::1', '5f00::1', 'fc00::1', 'fd12:3456::1', 'fe80::1', 'fe80::1%eth0'],
  ...['fec0::1', 'ff02::1', '2606:4700:4700::1111%eth0'],
];
const ofNoHost = [
  '',
  'localhost',
  'example.org',
  '[::1]',
  '127.1',
  '0x7f000001',
  '2130706433',
  '0177.0.0.1',
  '1.1.1.1:80',
];

describe('the judgement of addresses', () => {
  it.each(ofTheInternet)('takes %s for public', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it.each([...ofNobodyElse, ...ofNoHost])('does not take "%s" for public', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});

describe('ownNetworks', () => {
  it('holds what is beside this host, whatever kind of address it has', () => {
    const common = { netmask: '', mac: '', internal: false };
    const own = ownNetworks({
      lo: undefined,
      eth0: [
        { ...common, family: 'IPv4', address: '8.8.8.9', cidr: '8.8.8.9/24' },
        { ...common, family: 'IPv6', address: '2a00:1450::5', cidr: '2a00:1450::5/64', scopeid: 0 },
      ],
    });

    expect([own.check('8.8.8.200', 'ipv4'), own.check('8.8.9.1', 'ipv4')]).toEqual([true, false]);
    expect([own.check('2a00:1450::ffff', 'ipv6'), own.check('2a00:1450:1::1', 'ipv6')]).toEqual([true, false]);
  });
});
