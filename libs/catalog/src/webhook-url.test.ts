import { describe, expect, it } from '@jest/globals';
import { problemOfUrl } from './webhook-url.ts';

const taken = [
  'https://example.org/hook',
  'https://example.org:8443/a?b=c',
  'https://1.1.1.1/',
  'https://[2606:4700::1]/',
];
const refused = [
  ...['', 'example.org', '/hook', 'http://example.org/', 'ftp://example.org/', 'file:///etc/passwd', 'https://'],
  ...['https://ana@example.org/', 'https://ana:secret@example.org/', 'https://:secret@example.org/'],
  ...['https://example.org/#here', `https://example.org/${'a'.repeat(1_000)}`],
  // One address in the spellings that browsers take.
  ...['https://127.0.0.1/', 'https://127.1/', 'https://0x7f.1/', 'https://2130706433/', 'https://0177.0.0.1/'],
  ...['https://[::1]/', 'https://[::ffff:127.0.0.1]/', 'https://[fe80::1]/', 'https://169.254.169.254/latest/'],
  ...['https://①②⑦.0.0.1/', 'https://0/', 'https://10.0.0.1:443/'],
];

describe('the URL of a webhook', () => {
  it.each(taken)('may be %s', (url) => {
    expect(problemOfUrl(url, { allowPrivate: false })).toBeNull();
  });

  it.each(refused)('may not be %s', (url) => {
    expect(problemOfUrl(url, { allowPrivate: false })).toMatch(/^must /);
  });

  it('may be private and without TLS where the setting allows it, and still holds no password', () => {
    expect(problemOfUrl('http://127.0.0.1:8080/hook', { allowPrivate: true })).toBeNull();
    expect(problemOfUrl('http://ana:secret@127.0.0.1/', { allowPrivate: true })).toMatch(/password/);
    expect(problemOfUrl('ftp://127.0.0.1/', { allowPrivate: true })).toMatch(/https/);
  });
});
