/** Sources of samples against real HTTP servers: what is asked, with which credentials, and what is made of bad answers. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createFleetSource, createPrometheusSource } from './sample-source.ts';

const names = new Set(['omnizap_queue_depth']);
const page = `# HELP omnizap_queue_depth Entries
# TYPE omnizap_queue_depth gauge
omnizap_queue_depth{queue="a \\"b\\" \\\\ c"} 4
omnizap_other 1
process_start_time_seconds 1700000000
`;

describe('sampling', () => {
  const servers: Server[] = [];
  afterEach(() =>
    Promise.all(
      servers.splice(0).map((server) => {
        server.closeAllConnections();
        return new Promise((resolve) => server.close(resolve));
      }),
    ),
  );

  async function serve(answer: (request: IncomingMessage, body: string) => [number, string]): Promise<string> {
    const server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => (body += text));
      request.on('end', () => {
        const [status, text] = answer(request, body);
        response.writeHead(status).end(text);
      });
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  const processAt = (processId: string, url: string) => ({ processId, processName: 'api', status: { url } });

  it('asks each live process with the token, and goes on without those that do not answer', async () => {
    const asked: (string | undefined)[] = [];
    const good = await serve((request) => {
      asked.push(`${request.url} ${request.headers.authorization}`);
      return [200, page];
    });
    const bad = await serve(() => [500, 'no']);
    const source = createFleetSource({ metricsToken: 'a secret of some length' });
    const { samples, silent } = await source(names, [processAt('1', good), processAt('2', bad)]);

    expect(asked).toEqual(['/metrics Bearer a secret of some length']);
    expect(silent).toEqual(['api']);
    expect(samples).toEqual([
      {
        ...{ source: '1', startedAt: 1_700_000_000_000 },
        series: [{ name: 'omnizap_queue_depth', labels: { queue: 'a "b" \\ c' }, value: 4 }],
      },
    ]);
  });

  it('fails when nobody answers', async () => {
    const bad = await serve(() => [401, 'no']);

    await expect(createFleetSource({ metricsToken: undefined })(names, [processAt('1', bad)])).rejects.toThrow(
      /No process of the fleet/,
    );
  });

  it('asks Prometheus once for everything, and tells its targets apart', async () => {
    const asked: string[] = [];
    const row = (instance: string, value: string) => ({
      metric: { __name__: 'omnizap_queue_depth', instance, queue: 'a' },
      value: [1, value],
    });
    const url = await serve((request, body) => {
      asked.push(`${request.url} ${decodeURIComponent(body)}`);
      const data = { resultType: 'vector', result: [row('one:1', '4'), row('two:1', '5')] };
      return [200, JSON.stringify({ status: 'success', data })];
    });
    const { samples } = await createPrometheusSource({ url: `${url}/` })(names, []);

    expect(asked).toEqual(['/api/v1/query query={__name__=~"omnizap_queue_depth|process_start_time_seconds"}']);
    expect(samples.map(({ source, series }) => [source, series[0]?.value])).toEqual([
      ['one:1', 4],
      ['two:1', 5],
    ]);
  });

  it.each([
    ['an error', [503, 'no']],
    ['what is no vector', [200, '{"status":"success","data":{"resultType":"matrix","result":[]}}']],
    ['nothing', [200, '{"status":"success","data":{"resultType":"vector","result":[]}}']],
  ] as const)('fails when Prometheus answers %s', async (_what, [status, text]) => {
    const url = await serve(() => [status, text]);

    await expect(createPrometheusSource({ url })(names, [])).rejects.toThrow();
  });
});
