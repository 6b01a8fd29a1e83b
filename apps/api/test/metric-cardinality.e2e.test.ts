/** No series for what a stranger thinks of: paths, methods, hosts and request ids beyond number leave the series as they were. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ask, startFleet, waitFor, type Fleet } from '@omnizap/testkit';
import { METHODS } from 'node:http';
import { readMetricsText, type Sample } from './metrics-text.ts';
import { sendAll, sendRaw, type OddRequest } from './odd-requests.ts';

/** Node's own, by what it happens to have open or to clear away. */
const ofNode = /^nodejs_(active_|gc_)/;

describe('the series of an API process', () => {
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = await startFleet('postgres', { processes: ['api'] });
  }, 120_000);
  afterAll(async () => await fleet?.stop(), 60_000);

  const read = async (): Promise<Sample[]> =>
    readMetricsText((await ask(`${fleet.apiUrl}/metrics`)).bytes.toString('utf8')).samples;
  const nameAll = (samples: Sample[]): Set<string> =>
    new Set(
      samples
        .filter(({ series }) => !ofNode.test(series))
        .map(({ series, labels }) => JSON.stringify([series, labels])),
    );
  const databasesAsked = (samples: Sample[]): Set<unknown> =>
    new Set(
      samples
        .filter(({ series }) => series === 'omnizap_database_query_duration_seconds_count')
        .map(({ labels }) => labels.database),
    );
  const countOther = (samples: Sample[]): number =>
    samples
      .filter(({ series, labels }) => series === 'omnizap_http_requests_total' && labels.route_group === 'other')
      .reduce((sum, { value }) => sum + value, 0);

  it('are one for each known method after 10,000 unknown paths with every method, host and id', async () => {
    // The second reading has the series of the first. Both databases have been asked by then: the queue is, soon after the start.
    await waitFor(async () => databasesAsked(await read()).size === 2);
    const before = await read();
    const methods = METHODS.filter((method) => method !== 'CONNECT' && method !== 'HEAD');
    const odd = (index: number): OddRequest => ({
      path: `/${index % 3 === 0 ? 'api/sticker-pack' : 'x'}/${index}/%F0%9F%98%80?q=${index}`,
      method: index % 4 === 0 ? (methods[(index / 4) % methods.length] ?? 'GET') : 'GET',
      headers: {
        Host: `host-${index}.example`,
        'X-Request-Id': `request-${index}`,
        'X-Forwarded-For': `192.0.2.${index % 256}`,
        'User-Agent': `agent ${index}`,
        traceparent: `00-${String(index).padStart(32, '0')}-0000000000000001-01`,
      },
    });
    const statuses = await sendAll(
      fleet.apiUrl,
      Array.from({ length: 10_000 }, (_, index) => odd(index)),
    );
    const answered = [...statuses.values()].reduce((sum, count) => sum + count, 0);
    const after = await waitFor(async () => {
      const samples = await read();
      return countOther(samples) >= countOther(before) + 10_000 && samples;
    });

    expect([answered, [...statuses.keys()].every((status) => status >= 400 && status < 500)]).toEqual([10_000, true]);
    const added = [...nameAll(after)].filter((name) => !nameAll(before).has(name));
    const addedLabels = after
      .filter(({ series, labels }) => added.includes(JSON.stringify([series, labels])))
      .map(({ series, labels: { le: _le, ...labels } }) => `${series} ${JSON.stringify(labels)}`);
    const expected = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'OTHER'].flatMap((method) => {
      const labels = JSON.stringify({ route_group: 'other', method, status_class: '4xx' });
      return [
        `omnizap_http_requests_total ${labels}`,
        ...['bucket', 'sum', 'count'].map((part) => `omnizap_http_request_duration_ms_${part} ${labels}`),
      ];
    });
    expect([...new Set(addedLabels)].toSorted()).toEqual(expected.toSorted());
  }, 120_000);

  it('have nothing of a request id, which is replaced or refused when it is not one', async () => {
    const before = nameAll(await read());
    const own = /^[A-Za-z0-9._-]{1,128}$/;
    const answers = [
      ['kept.by-us_1', /^kept\.by-us_1$/],
      ['x'.repeat(129), own],
      ['x'.repeat(10_240), own],
      ['a b', own],
      ['a"b\\', own],
      ['{omnizap="1"}', own],
    ] as const;
    for (const [given, expected] of answers) {
      const { status, headers } = await ask(`${fleet.apiUrl}/nowhere`, { headers: { 'X-Request-Id': given } });
      expect([given, status, headers['x-request-id']]).toEqual([given, 404, expect.stringMatching(expected)]);
      if (given !== 'kept.by-us_1') expect(headers['x-request-id']).not.toBe(given);
    }
    for (const mark of ['\x00', '\x07', '\x1b[31m', '\x7f', '\xff\xfe', '\r\x0bb', '\t\t']) {
      const answer = await sendRaw(
        fleet.apiUrl,
        `GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Request-Id: a${mark}b\r\n\r\n`,
      );
      const [, status] = /^HTTP\/1\.1 (\d+)/.exec(answer) ?? [];
      const [, id] = /^X-Request-Id: (.*)\r$/im.exec(answer) ?? [];
      // Refused before there is an answer to name, or answered under a name of our own.
      expect([JSON.stringify(mark), status]).toEqual([JSON.stringify(mark), expect.stringMatching(/^(400|404)$/)]);
      if (status === '404') expect(id).toMatch(own);
      else expect(answer).not.toContain(`a${mark}b`);
    }

    expect(nameAll(await read())).toEqual(before);
  });
});
