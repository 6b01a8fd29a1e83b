import { describe, expect, it } from '@jest/globals';
import type { Answer } from './discover-catalogue.ts';
import { createQueueWatch } from './queue-watch.ts';

const answer = (status: number, text: string): Answer => ({ status, etag: undefined, text });
const targets = JSON.stringify([
  { targets: ['127.0.0.1:1'], labels: { process: 'api', release: 'stable', version: '1.2.3' } },
  { targets: ['127.0.0.1:2'], labels: { process: 'maintenance', release: 'stable', version: '1.2.3' } },
  { targets: ['127.0.0.1:3'], labels: { process: 'maintenance', release: 'stable', version: '1.2.3' } },
]);
let readings = 0;
/** Read from the tables anew each time. */
const depths = (tasks: number, outbox: number): string =>
  [
    `omnizap_gauges_refreshed_timestamp_seconds ${(readings += 1)}`,
    `omnizap_queue_depth{queue="sticker_worker_tasks_pending"} ${tasks}`,
    `omnizap_queue_depth{queue="domain_event_outbox_pending"} ${outbox}`,
    'omnizap_queue_depth{queue="sticker_worker_tasks_dlq"} 5000',
  ].join('\n');

/** The process on port 3 leads, and its queues are as deep as `next` says. */
const fleet = (next: () => string) => ({
  ask: (): Promise<Answer> => Promise.resolve(answer(200, targets)),
  askProcess: (url: string): Promise<Answer> =>
    Promise.resolve(answer(200, url.includes(':3') ? next() : 'process_cpu_seconds_total 1')),
});
const quiet = { metricsToken: undefined, signal: new AbortController().signal };

describe('the queues', () => {
  it('are read from the process that leads, without what is dead', async () => {
    const watch = await createQueueWatch(
      fleet(() => depths(3, 4)),
      quiet,
    );
    expect(watch.version).toBe('1.2.3');
    const report = await watch.finish(900, () => undefined);
    expect(report).toMatchObject({
      unknown: null,
      depth_before: 7,
      depth_after: 7,
      before: { domain_event_outbox_pending: 4 },
    });
    expect(report.recovery_seconds).toBe(0);
  });

  it('are back to normal when they were read after the end, not when they still say what was before the load', async () => {
    const stale = [
      'omnizap_gauges_refreshed_timestamp_seconds 1',
      'omnizap_queue_depth{queue="sticker_worker_tasks_pending"} 0',
    ].join('\n');
    const answers = [stale, stale, depths(300, 0)];
    const watch = await createQueueWatch(
      fleet(() => answers.shift() ?? depths(2, 0)),
      quiet,
    );
    watch.start();
    const report = await watch.finish(900, () => undefined);
    expect(report).toMatchObject({ depth_before: 0, depth_peak: 300, depth_after: 2 });
    expect(report.recovery_seconds).toBeGreaterThan(3);
  });

  it('that are not back to normal in the time given have not recovered', async () => {
    let asked = 0;
    const watch = await createQueueWatch(
      fleet(() => depths((asked += 1) === 1 ? 0 : 400, 0)),
      quiet,
    );
    watch.start();
    const report = await watch.finish(0.1, () => undefined);
    expect(report).toMatchObject({ depth_before: 0, depth_peak: 400, depth_after: 400, recovery_seconds: null });
  });

  it('are looked for again when the process that leads is started again elsewhere', async () => {
    let port = 3;
    const moved = {
      ask: () =>
        Promise.resolve(
          answer(
            200,
            JSON.stringify([{ targets: [`127.0.0.1:${port}`], labels: { process: 'maintenance', version: '1' } }]),
          ),
        ),
      askProcess: (url: string) =>
        url.includes(`:${port}/`) ? Promise.resolve(answer(200, depths(2, 0))) : Promise.reject(new Error('refused')),
    };
    const watch = await createQueueWatch(moved, quiet);
    watch.start();
    port = 4;
    const report = await watch.finish(900, () => undefined);
    expect(report).toMatchObject({ unknown: null, depth_before: 2, depth_after: 2, recovery_seconds: 0 });
  });

  it('are not known when nothing could be read since the end of the load', async () => {
    let isThere = true;
    const gone = fleet(() => depths(1, 0));
    const watch = await createQueueWatch(
      { ...gone, askProcess: (url) => (isThere ? gone.askProcess(url) : Promise.reject(new Error('refused'))) },
      quiet,
    );
    watch.start();
    isThere = false;
    const report = await watch.finish(0.1, () => undefined);
    expect(report.unknown).toMatch(/since the end of the load/);
    expect(report.recovery_seconds).toBeNull();
  });

  it('are asked for with the token by who asks for it, and by nobody else', async () => {
    const sent: string[] = [];
    const watch = await createQueueWatch(
      {
        ask: (path, headers = {}) => {
          sent.push(`${path} ${headers.authorization ?? 'nothing'}`);
          return Promise.resolve(headers.authorization === 'Bearer secret' ? answer(200, targets) : answer(401, ''));
        },
        askProcess: (url, headers = {}) => {
          sent.push(`${new URL(url).port} ${headers.authorization ?? 'nothing'}`);
          return Promise.resolve(answer(200, url.includes(':3') ? depths(0, 0) : ''));
        },
      },
      { ...quiet, metricsToken: 'secret' },
    );
    expect((await watch.finish(0, () => undefined)).unknown).toBeNull();
    expect(sent.slice(0, 4)).toEqual([
      '/api/ops/targets nothing',
      '/api/ops/targets Bearer secret',
      '2 nothing',
      '3 nothing',
    ]);
    expect(sent.slice(4).every((line) => line.endsWith(' nothing'))).toBe(true);
  });

  it.each([
    ['nobody leads', fleet(() => 'nothing'), /no maintenance process answers/],
    [
      'there is no list',
      { ...fleet(() => ''), ask: () => Promise.resolve(answer(404, '{}')) },
      /does not list processes \(404\)/,
    ],
    ['the list asks for a token', { ...fleet(() => ''), ask: () => Promise.resolve(answer(401, '')) }, /METRICS_TOKEN/],
    [
      'metrics ask for a token',
      { ...fleet(() => ''), askProcess: () => Promise.resolve(answer(401, '')) },
      /asks for METRICS_TOKEN/,
    ],
    ['nobody is there', { ...fleet(() => ''), ask: () => Promise.reject(new Error('no')) }, /does not list processes/],
  ])('are not known when %s, which fails nothing', async (_when, client, reason) => {
    const watch = await createQueueWatch(client, quiet);
    watch.start();
    expect((await watch.finish(900, () => undefined)).unknown).toMatch(reason);
  });
});
