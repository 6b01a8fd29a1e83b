/**
 * Signature Version 4 as AWS describes it ("Authenticating Requests: Using the Authorization Header / Query Parameters", S3 API
 * reference), written for tests alone: a second opinion on what the client signs. One chunk, one region, no session token.
 */
import { createHash, createHmac } from 'node:crypto';

type SignedRequest = {
  method: string;
  url: URL;
  /** Names in lower case; all that are signed. */
  headers: Record<string, string>;
  payloadSha256: string;
  /** `YYYYMMDDTHHMMSSZ` */
  date: string;
  region: string;
  secretAccessKey: string;
};

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);

export function signatureOf(request: SignedRequest): string {
  const { method, url, headers, payloadSha256, date, region, secretAccessKey } = request;
  const path = url.pathname
    .split('/')
    .map((part) => encode(decodeURIComponent(part)))
    .join('/');
  const query = [...url.searchParams]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .toSorted()
    .join('&');
  const names = Object.keys(headers).toSorted();
  const canonicalHeaders = names.map((name) => `${name}:${headers[name]?.trim()}\n`).join('');
  const canonical = [method, path, query, canonicalHeaders, names.join(';'), payloadSha256].join('\n');
  const day = date.slice(0, 8);
  const scope = `${day}/${region}/s3/aws4_request`;
  const key = ['s3', 'aws4_request'].reduce(
    (before, part) => hmac(before, part),
    hmac(hmac(`AWS4${secretAccessKey}`, day), region),
  );
  return hmac(key, ['AWS4-HMAC-SHA256', date, scope, hash(canonical)].join('\n')).toString('hex');
}
