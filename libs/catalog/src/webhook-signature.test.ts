import { describe, expect, it } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { createWebhookSecret, signatureHeaders } from './webhook-signature.ts';

describe('the signature of a message', () => {
  it('is that of the published example', () => {
    // The example of the specification's reference libraries (standard-webhooks, "sign function works").
    const headers = signatureHeaders('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', {
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      timestamp: 1_614_265_330,
      body: '{"test": 2432232314}',
    });

    expect(headers).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  it('is taken by the reference verifier with a secret of ours, and by no other secret or body', () => {
    const secret = createWebhookSecret();
    const body = '{"type":"pack.published","data":{"pack_key":"olá-1"}}';
    const headers = signatureHeaders(secret, { id: 'a', timestamp: Math.floor(Date.now() / 1_000), body });

    expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body));
    expect(() => new Webhook(createWebhookSecret()).verify(body, headers)).toThrow('No matching signature');
    expect(() => new Webhook(secret).verify(`${body} `, headers)).toThrow('No matching signature');
  });
});
