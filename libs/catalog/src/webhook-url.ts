/** What an owner may have us call. Names are judged when they are called: see webhook-sender.ts. */
import { isIP } from 'node:net';
import { isPublicAddress } from './public-address.ts';

export type WebhookOptions = {
  /** False: nothing is sent, and nobody can ask for it. */
  isEnabled: boolean;
  /** Also http, and addresses that are not of the public internet: for receivers in the same network. */
  allowPrivate: boolean;
};

/** Characters. */
export const maxUrlLength = 1_000;

/** What is wrong with it, for its owner; null when it may be called. */
export function problemOfUrl(text: string, { allowPrivate }: Pick<WebhookOptions, 'allowPrivate'>): string | null {
  if (text.length > maxUrlLength) return `must have at most ${maxUrlLength} characters`;
  const url = URL.canParse(text) ? new URL(text) : null;
  const isSpoken = url?.protocol === 'https:' || (allowPrivate && url?.protocol === 'http:');
  if (!url || !isSpoken) return 'must be a URL that starts with https://';
  if (url.username !== '' || url.password !== '') return 'must not contain a user name or password';
  if (url.hash !== '') return 'must not have a fragment';
  const address = literalAddress(url);
  if (address !== null && !allowPrivate && !isPublicAddress(address)) return 'must name a host of the public internet';
  return null;
}

/** The address that stands in the URL instead of a name. `URL` has brought all its spellings into one form. */
export function literalAddress({ hostname }: URL): string | null {
  const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return isIP(bare) === 0 ? null : bare;
}
