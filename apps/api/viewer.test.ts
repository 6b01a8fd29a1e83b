import { describe, expect, it } from '@jest/globals';
import type { Request } from 'express';
import { viewerOf } from './viewer.ts';

type Sent = { ip?: string; key?: string; cookie?: string; agent?: string };

function from({ ip = '192.0.2.1', key, cookie, agent = 'Firefox' }: Sent): Request {
  const headers: Record<string, string | undefined> = { 'x-viewer-key': key, cookie, 'user-agent': agent };
  return { ip, headers, get: (name: string) => headers[name] } as unknown as Request;
}
const keyOf = (sent: Sent): string => viewerOf(from(sent)).key;
const addressOf = (ip: string): string => viewerOf(from({ ip })).address;

describe('a viewer', () => {
  it('is known by the key, else by the cookie, else by address and user agent', () => {
    const cookie = 'a=b; omnizap_vid=cookie-1; c=d';

    expect(keyOf({ key: 'key-1', cookie })).toBe(keyOf({ key: 'key-1', ip: '192.0.2.2', agent: 'Chrome' }));
    expect(keyOf({ cookie })).toBe(keyOf({ key: 'cookie-1' }));
    expect(keyOf({ key: '', cookie })).toBe(keyOf({ cookie }));
    const unnamed = [{}, { ip: '192.0.2.2' }, { agent: 'Chrome' }, { cookie: 'omnizap_vid=' }].map(keyOf);
    expect(new Set(unnamed).size).toBe(3);
    expect(unnamed[3]).toBe(unnamed[0]);
  });

  it('cannot pass for somebody without a key by a key, nor be told from others by what lies behind a cut', () => {
    expect(keyOf({ key: keyOf({}) })).not.toBe(keyOf({}));
    expect(keyOf({ agent: 'x'.repeat(10_000) })).toHaveLength(keyOf({ agent: 'x'.repeat(256) }).length);
  });

  it.each([['a'.repeat(129)], ['tab\tinside'], ['caf\u00e9'], ['\u0000']])(
    'is refused with a key that is too long or not printable, without the key being repeated',
    (key) => {
      const refused = (): unknown => viewerOf(from({ key }));

      expect(refused).toThrow(expect.objectContaining({ code: 'invalid-parameter' }));
      expect(refused).not.toThrow(key);
    },
  );

  it('with a cookie that no key can be is one without a key', () => {
    expect(keyOf({ cookie: `omnizap_vid=${'a'.repeat(129)}` })).toBe(keyOf({}));
    expect(keyOf({ key: 'a'.repeat(128) })).toContain('a'.repeat(128));
  });

  it('comes from an IPv4 address however it is written', () => {
    expect(addressOf('::ffff:192.0.2.7')).toBe(addressOf('192.0.2.7'));
    expect(addressOf('192.0.2.7')).not.toBe(addressOf('192.0.2.8'));
  });

  it('comes from one network for all addresses of a /56, and from another outside of it', () => {
    const home = addressOf('2001:db8:0:ab00::1');

    for (const same of ['2001:db8:0:abff:1:2:3:4', '2001:0db8:0000:ab12::', '2001:db8::ab01:0:0:0:9'])
      expect(addressOf(same)).toBe(home);
    for (const other of ['2001:db8:0:ac00::1', '2001:db8:1:ab00::1', '2001:db8::1', '::1'])
      expect(addressOf(other)).not.toBe(home);
  });
});
