/** What a place for traces is told by a real fleet: the way of one upload through all processes, as spans and links. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import {
  buildMultipart,
  createCatalogueClient,
  drawPng,
  startFleet,
  testDatabaseKinds,
  waitFor,
} from '@omnizap/testkit';
import type { Answer, CatalogueClient, Fleet } from '@omnizap/testkit';
import { waitUntilQuiet } from './quiet.ts';
import { spanKinds, startTraceSink, type SpanJson, type TraceSink } from './trace-sink.ts';
import { startWebhookReceiver, type WebhookReceiver } from './webhook-receiver.ts';

const patience = { timeoutMs: 45_000, intervalMs: 50 };
const secret = 'Bearer of-the-place-for-traces';

describe.each(testDatabaseKinds())('traces of a fleet on %s', (kind) => {
  let fleet: Fleet;
  let sink: TraceSink;
  let receiver: WebhookReceiver;
  let own: CatalogueClient;
  let anybody: CatalogueClient;

  beforeAll(async () => {
    [sink, receiver] = await Promise.all([startTraceSink(), startWebhookReceiver()]);
    fleet = await startFleet(kind, {
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
        OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
        OTEL_EXPORTER_OTLP_HEADERS: `authorization=${encodeURIComponent(secret)}`,
        OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
        OTEL_BSP_SCHEDULE_DELAY: '100',
        STICKER_WEBHOOK_ALLOW_PRIVATE: 'true',
        LOG_LEVEL: 'debug',
      },
    });
    own = createCatalogueClient(fleet.apiUrl, (await fleet.createOwner()).key);
    anybody = createCatalogueClient(fleet.apiUrl);
  }, 180_000);
  afterAll(async () => {
    await fleet?.stop();
    await receiver?.stop();
    await sink?.stop();
  }, 60_000);

  /** A caller's span that is kept: what follows from it is kept as well. */
  function newCaller(): { traceId: string; spanId: string; headers: Record<string, string> } {
    const [traceId, spanId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
    return { traceId, spanId, headers: { traceparent: `00-${traceId}-${spanId}-01`, tracestate: 'vendor=opaque' } };
  }

  async function upload(packKey: string, color: number, headers: Record<string, string>): Promise<Answer> {
    const file = { name: 'file', content: drawPng(color), filename: 'a.png', contentType: 'image/png' };
    const { body, contentType } = buildMultipart([file, { name: 'emojis', content: '["🎈"]' }]);
    const path = `/api/sticker-packs/${packKey}/stickers`;
    return own.call('POST', path, { body, headers: { 'Content-Type': contentType, ...headers } });
  }

  async function span(description: string, isIt: (span: SpanJson) => boolean): Promise<SpanJson> {
    return waitFor(() => sink.spans.find(isIt), { ...patience, description: `the span ${description}` });
  }
  const childOf = (name: string, parent: SpanJson): Promise<SpanJson> =>
    span(
      `${name} in ${parent.name}`,
      (one) => one.name === name && one.traceId === parent.traceId && one.parentSpanId === parent.spanId,
    );
  const isLinked = (one: SpanJson, to: SpanJson): boolean =>
    one.links.some((link) => link.traceId === to.traceId && link.spanId === to.spanId);
  const linkedTo = (name: string, to: SpanJson): Promise<SpanJson> =>
    span(`${name} linked to ${to.name}`, (one) => one.name === name && isLinked(one, to));

  it('tell an upload’s way through api, relay and workers, each step linked to the event that led to it', async () => {
    const packKey = await own.createPack({ name: 'Followed', visibility: 'public' });
    await upload(packKey, 500, {});
    expect((await own.publish(packKey)).status).toBe(200);
    // A hint that waits already would take in the one that is followed.
    await waitUntilQuiet(fleet.database);
    const caller = newCaller();
    const answer = await upload(packKey, 501, { ...caller.headers, 'X-Request-Id': 'followed-1' });
    expect(answer.status).toBe(202);
    const stickerId = answer.json<{ data: { sticker_id: string } }>().data.sticker_id;

    const request = await span('of the request', ({ parentSpanId }) => parentSpanId === caller.spanId);
    expect(request).toMatchObject({
      ...{ service: 'omnizap-api', name: 'POST /api/sticker-packs/:packKey/stickers', kind: spanKinds.server },
      ...{ traceId: caller.traceId, traceState: 'vendor=opaque', links: [], isError: false },
    });
    expect(request.attributes).toMatchObject({
      ...{ 'http.request.method': 'POST', 'http.route': '/api/sticker-packs/:packKey/stickers' },
      ...{ 'url.path': `/api/sticker-packs/${packKey}/stickers`, 'url.scheme': 'http' },
      ...{ 'http.response.status_code': 202, 'omnizap.request_id': 'followed-1' },
    });
    expect(request.attributes).not.toHaveProperty('error.type');
    expect(request.resource).toMatchObject({
      'service.version': expect.stringMatching(/^\d/) as unknown,
      'deployment.environment.name': 'test',
      'deployment.name': 'stable',
    });
    // Neither the command line nor the account's name.
    expect(Object.keys(request.resource).filter((name) => name.startsWith('process.'))).toEqual([]);

    const created = await childOf('send STICKER_ASSET_CREATED', request);
    expect(created.kind).toBe(spanKinds.producer);
    expect(created.attributes).toMatchObject({
      ...{ 'messaging.system': 'pg-boss', 'messaging.operation.type': 'send' },
      ...{ 'messaging.destination.name': 'STICKER_ASSET_CREATED', 'omnizap.aggregate.id': stickerId },
    });
    const row = await fleet.database
      .knex('domain_event_outbox')
      .where({ event_type: 'STICKER_ASSET_CREATED', aggregate_id: stickerId })
      .first<{ id: number; traceparent: string; tracestate: string }>('id', 'traceparent', 'tracestate');
    expect([row.traceparent, row.tracestate]).toEqual([`00-${caller.traceId}-${created.spanId}-01`, 'vendor=opaque']);

    const relayed = await linkedTo('process domain_event_outbox', created);
    expect(relayed).toMatchObject({ service: 'omnizap-relay', kind: spanKinds.consumer });
    expect(relayed.parentSpanId ?? '').toBe('');
    expect(await childOf('send tasks', relayed)).toMatchObject({ kind: spanKinds.producer });

    // Each type of task by its process, and each event by the effect that the one before it had.
    const steps = [
      ['classification', 'worker-classification', 'classify sticker', 'send STICKER_CLASSIFIED'],
      ['derivative', 'worker-classification', 'derive sticker', 'send STICKER_READY'],
    ] as const;
    let event = created;
    const traces: string[] = [];
    for (const [taskType, service, effect, next] of steps) {
      const processed = await linkedTo(`process ${taskType}`, event);
      expect(processed).toMatchObject({ service: `omnizap-${service}`, kind: spanKinds.consumer, isError: false });
      expect(processed.traceId).not.toBe(event.traceId);
      expect(processed.parentSpanId ?? '').toBe('');
      expect(processed.links).toHaveLength(1);
      expect(processed.attributes).toMatchObject({
        ...{ 'messaging.system': 'pg-boss', 'messaging.operation.type': 'process' },
        ...{ 'messaging.destination.name': `${taskType}.stable`, 'messaging.message.conversation_id': 'followed-1' },
        ...{ 'omnizap.task.subject_id': stickerId, 'omnizap.task.outcome': 'done' },
      });
      expect(Number(processed.attributes['omnizap.task.attempt'])).toBe(1);
      expect(processed.attributes['messaging.message.id']).toMatch(/^[0-9a-f-]{36}$/);
      traces.push(processed.traceId);
      await childOf(effect, processed);
      event = await childOf(next, await childOf(`record ${taskType}`, processed));
    }
    expect((await linkedTo('process curation', event)).service).toBe('omnizap-worker-curation');
    // The pack's events come in one another's way: a hint that waits takes in the later ones, and has the first one's link.
    const story = new Set([caller.traceId, ...traces]);
    const rebuilt = await span(
      'of the rebuild',
      ({ name, links }) => name === 'process rebuild' && links.some(({ traceId }) => story.has(traceId)),
    );
    expect(rebuilt.service).toBe('omnizap-worker-rebuild');
    // One wave of events for each step, one trace each: none of them is one that goes on for hours.
    expect(new Set(sink.spans.filter((one) => one.traceId === caller.traceId).map(({ service }) => service))).toEqual(
      new Set(['omnizap-api']),
    );
  }, 120_000);

  it.each([
    ['garbage', 'garbage'],
    ['a trace of zeroes', '00-00000000000000000000000000000000-00f067aa0ba902b7-01'],
    ['a span of zeroes', '00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01'],
    ['a version that never will be', 'ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
    ['capitals', '00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01'],
    ['more than its version has', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more'],
    ['8 KB', `00-${'4bf92f35'.repeat(1_000)}-00f067aa0ba902b7-01`],
  ])('begin anew where a request brings %s', async (_what, traceparent) => {
    const problem = (await anybody.get('/api/sticker-packs/none', { traceparent, tracestate: 'a=b' })).json<{
      status: number;
      trace_id: string;
    }>();

    expect(problem.status).toBe(404);
    expect(problem.trace_id).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
    expect(traceparent).not.toContain(problem.trace_id);
  });

  it('go on under the caller’s id, which problems and the log name', async () => {
    const caller = newCaller();
    const requestId = `problem-${caller.spanId}`;
    const answer = await own.call('PATCH', '/api/sticker-packs/none', {
      body: { name: 'None' },
      headers: { ...caller.headers, 'X-Request-Id': requestId },
    });

    expect(answer.json()).toMatchObject({ code: 'pack-not-found', request_id: requestId, trace_id: caller.traceId });
    const line = await waitFor(() => {
      const lines = fleet.process('api').output().split('\n');
      return lines.find((one) => one.includes(requestId) && one.includes('request answered'));
    }, patience);
    const { spanId } = await span('of the problem', ({ parentSpanId }) => parentSpanId === caller.spanId);
    expect(JSON.parse(line)).toMatchObject({ trace_id: caller.traceId, span_id: spanId, request_id: requestId });
  });

  it.each([
    ['10 KB', 'x'.repeat(10_240), 404],
    ['more than 128 characters', 'x'.repeat(129), 404],
    ['line feeds spelt out', 'a%0d%0ainjected', 404],
    ['a tab', 'a\tb', 404],
    ['a bell', 'a\x07b', 400],
    ['an escape sequence', 'a\x1b[31mb', 400],
  ])('do without an X-Request-Id of %s: it is answered with one of ours', async (_what, requestId, status) => {
    const socket = connect(Number(new URL(fleet.apiUrl).port), '127.0.0.1');
    socket.write(
      `GET /api/sticker-packs/none HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Request-Id: ${requestId}\r\n\r\n`,
    );
    const answer = await text(socket);

    const [, given] = /^X-Request-Id: (.*)\r$/m.exec(answer) ?? [];
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(given).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(answer).toContain(`"request_id":"${given}"`);
    // The log is JSON, in which control characters are spelt out.
    for (const logged of [requestId, JSON.stringify(requestId).slice(1, -1)])
      expect(fleet.process('api').output()).not.toContain(logged);
  });

  it('have a span for each attempt at a webhook, all linked to one event; the receiver learns nothing of them', async () => {
    await own.call('POST', '/api/webhooks', { body: { url: `${receiver.url}/told` } });
    receiver.answerWith(503);
    const caller = newCaller();
    const packKey = await own.createPack({ name: 'Told' });
    await upload(packKey, 502, {});
    const path = `/api/sticker-packs/${packKey}/publish`;
    expect((await own.call('POST', path, { headers: caller.headers })).status).toBe(200);

    const published = await span(
      'of the published pack',
      ({ name, traceId }) => name === 'send PACK_UPDATED' && traceId === caller.traceId,
    );
    const attempts = await waitFor(() => {
      const found = sink.spans.filter((one) => one.name === 'process webhook' && isLinked(one, published));
      return found.length === 2 ? found : null;
    }, patience);
    const [first, second] = attempts.toSorted((a, b) => attemptOf(a) - attemptOf(b)) as [SpanJson, SpanJson];
    expect([first, second].map(attemptOf)).toEqual([1, 2]);
    expect(first.traceId).not.toBe(second.traceId);
    expect([first.isError, second.isError]).toEqual([true, false]);
    expect(first.attributes).toMatchObject({ 'error.type': 'unavailable' });
    expect(second.attributes).not.toHaveProperty('error.type');
    const posts = [await childOf('POST', first), await childOf('POST', second)];
    expect(posts.map(({ kind, attributes }) => [kind, String(attributes['http.response.status_code'])])).toEqual([
      [spanKinds.client, '503'],
      [spanKinds.client, '204'],
    ]);
    expect(receiver.received).toHaveLength(2);
    for (const { headers } of receiver.received) {
      expect(headers).not.toHaveProperty('traceparent');
      expect(headers).not.toHaveProperty('tracestate');
    }
  }, 90_000);

  it('have http or https as a scheme, whatever a stranger says through a proxy that is believed', async () => {
    const api = await fleet.start('api', { TRUST_PROXY_HOPS: '1' });
    const schemes: unknown[] = [];
    for (const said of ['https', 'a-word-of-a-stranger']) {
      const { spanId, headers } = newCaller();
      await createCatalogueClient(api.url).get('/api/sticker-packs', { ...headers, 'X-Forwarded-Proto': said });
      const { attributes } = await span('of the request', ({ parentSpanId }) => parentSpanId === spanId);
      schemes.push(attributes['url.scheme']);
    }

    expect(schemes).toEqual(['https', 'http']);
    expect((await api.stop()).code).toBe(0);
  }, 60_000);

  it('are sent as protobuf where nobody says how, as the standard has it', async () => {
    const api = await fleet.start('api', { OTEL_EXPORTER_OTLP_PROTOCOL: '' });
    const { traceId, spanId, headers } = newCaller();
    expect((await createCatalogueClient(api.url).get('/api/sticker-packs', headers)).status).toBe(200);

    const ids = [traceId, spanId].map((id) => Buffer.from(id, 'hex'));
    const sent = await waitFor(() => sink.protobuf.find(({ body }) => ids.every((id) => body.includes(id))), patience);
    expect(sent).toMatchObject({ contentType: 'application/x-protobuf', path: '/v1/traces' });
    for (const word of ['omnizap-api', 'GET /api/sticker-packs', 'http.response.status_code'])
      expect(sent.body.includes(word)).toBe(true);
    expect((await api.stop()).code).toBe(0);
    expect(api.output()).not.toContain('traces are not delivered');
  }, 60_000);

  it('keep what they are sent with out of every log', () => {
    expect(sink.headers.length).toBeGreaterThan(0);
    expect(new Set(sink.headers.map(({ authorization }) => authorization))).toEqual(new Set([secret]));
    for (const { process } of fleet.all()) expect(process.output()).not.toContain('of-the-place-for-traces');
  });

  it('cost nothing when their place hangs and then is gone: requests are answered, processes stop in time', async () => {
    sink.hang();
    const { headers } = newCaller();
    const [one, another] = [await fleet.start('api'), await fleet.start('api')];
    const ask = async (url: string): Promise<number> =>
      (await createCatalogueClient(url).get('/api/sticker-packs', headers)).status;
    const before = sink.headers.length;
    expect(await ask(one.url)).toBe(200);
    await waitFor(() => sink.headers.length > before, { ...patience, description: 'spans that nobody answers' });
    const hangs = performance.now();
    expect((await one.stop()).code).toBe(0);
    const hungMs = performance.now() - hangs;
    await sink.stop();
    expect(await ask(another.url)).toBe(200);
    const away = performance.now();
    expect((await another.stop()).code).toBe(0);

    // The whole stop, of which waiting for the place is a second and a half.
    expect(Math.max(hungMs, performance.now() - away)).toBeLessThan(8_000);
    expect(one.output()).toContain('tracing did not stop in time');
    expect([one.output(), another.output()].filter((text) => /"level":"(error|fatal)"/.test(text))).toEqual([]);
  }, 60_000);
});

const attemptOf = ({ attributes }: SpanJson): number => Number(attributes['omnizap.task.attempt']);
