/** Signatures of the Standard Webhooks specification 1.0.0: HMAC-SHA256 of "id.timestamp.body", marked `v1`. */
import { createHmac, randomBytes } from 'node:crypto';

const secretPrefix = 'whsec_';
/** The specification asks for 24 to 64. */
const secretBytes = 32;

export type SignedMessage = {
  id: string;
  /** Seconds since the epoch. */
  timestamp: number;
  body: string;
};

export function createWebhookSecret(): string {
  return `${secretPrefix}${randomBytes(secretBytes).toString('base64')}`;
}

/** Headers by which a receiver knows the message for ours, for this attempt. */
export function signatureHeaders(secret: string, { id, timestamp, body }: SignedMessage): Record<string, string> {
  const key = Buffer.from(secret.slice(secretPrefix.length), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': `v1,${signature}` };
}
