/** The load test as an operator runs it: against a whole fleet, and against small servers that misbehave in known ways. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { fleetProcesses, spawnProcess, startFleet, waitFor, type Fleet } from '@omnizap/testkit';
import { z } from 'zod';
import { sampleReport } from './loadtest/sample-report.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'omnizap-loadtest-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const percentiles = z.object({ p50: z.number(), p95: z.number(), p99: z.number(), max: z.number() });
/** Read by a shape of its own: what the contract promises, not what the tool knows. */
const reportSchema = z.object({
  requests_total: z.number(),
  requests_success: z.number(),
  requests_error: z.number(),
  requests_limited: z.number(),
  error_rate: z.number(),
  throughput_rps: z.number(),
  note: z.string(),
  concurrency: z.number().nullable(),
  latency_ms: percentiles,
  by_status: z.record(z.string(), z.number()),
  by_path: z.record(z.string(), z.object({ requests: z.number(), errors: z.number(), latency_ms: percentiles })),
  slo: z.object({ target_ms: z.number(), p95_within_target: z.boolean() }),
  sample_errors: z.array(z.object({ kind: z.string(), path: z.string() })),
  verdict: z.string(),
  interrupted: z.boolean(),
  queue: z.object({
    unknown: z.string().nullable(),
    recovery_seconds: z.number().nullable(),
    recovery_limit_seconds: z.number(),
  }),
  dataset: z.object({ packs: z.number(), stickers: z.number() }).nullable(),
  comparison: z.object({ is_worse: z.boolean() }).nullable(),
});
type Report = z.infer<typeof reportSchema>;
type Run = { code: number | null; output: string; report: Report | null; file: string };

let runs = 0;

function start(args: string[], env: Record<string, string> = {}) {
  runs += 1;
  const file = path.join(folder, `run-${runs}.json`);
  const common = { STICKER_DATA_DIR: folder, ...env };
  return {
    file,
    starting: spawnProcess('tools/loadtest.ts', ['--out', file, ...args], common, { waitForReady: false }),
  };
}

async function run(args: string[], env?: Record<string, string>): Promise<Run> {
  const { file, starting } = start(args, env);
  const process = await starting;
  const { code } = await process.exited;
  return { code, output: process.output(), report: await readReport(file), file };
}

async function readReport(file: string): Promise<Report | null> {
  const text = await readFile(file, 'utf8').catch(() => null);
  return text === null ? null : reportSchema.parse(JSON.parse(text));
}

/** Of a run that must have one. */
function reportOf({ report, output }: Run): Report {
  if (report === null) throw new Error(`There is no report. It printed:\n${output}`);
  return report;
}

describe('against a small server', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  async function serve(answer: RequestListener): Promise<string> {
    const server = createServer(answer);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  const short = ['--duration-seconds', '5', '--warmup-seconds', '0', '--recovery-seconds', '0', '--paths', '/a'];

  /** Stands still for a second once, when the load has gone on for two. */
  function stallingServer(): Promise<string> {
    let startedAt = 0;
    let waiting: (() => void)[] | null = null;
    return serve((request, response) => {
      const answer = (): void => void response.end('ok');
      if (request.url !== '/a') return answer();
      startedAt ||= performance.now();
      if (performance.now() - startedAt < 2_000) return answer();
      if (waiting === null) {
        waiting = [];
        const held = waiting;
        setTimeout(() => {
          waiting = [];
          startedAt = Infinity;
          for (const go of held) go();
        }, 1_000);
      }
      if (startedAt === Infinity) return answer();
      waiting.push(answer);
      return undefined;
    });
  }

  it('shows in the open model what a stall of one second does to visitors, which the closed loop hides', async () => {
    const open = await run(['--base-url', await stallingServer(), '--rate', '200', ...short]);
    const closed = await run(['--base-url', await stallingServer(), '--concurrency', '4', ...short]);
    // A fifth of all visitors came while it stood still, and waited half a second on average.
    expect(reportOf(open).requests_total).toBeGreaterThan(850);
    expect(reportOf(open).latency_ms.p99).toBeGreaterThan(800);
    expect(reportOf(open).latency_ms.p95).toBeGreaterThan(600);
    // The same second, in which the four clients did not ask: four of thousands of requests.
    expect(reportOf(closed).latency_ms.max).toBeGreaterThan(900);
    expect(reportOf(closed).latency_ms.p99).toBeLessThan(reportOf(open).latency_ms.p99 / 2);
    expect(reportOf(closed)).toMatchObject({ concurrency: 4, note: 'closed loop: latencies hide queueing' });
    expect(closed.output).toContain('closed loop: latencies hide queueing');
  });

  it('counts what is not answered in time as errors, with the time that was waited', async () => {
    const slow = await run([
      '--base-url',
      await serve((request, response) => {
        if (request.url !== '/a') response.end('ok');
      }),
      '--rate',
      '20',
      '--timeout-ms',
      '1000',
      ...short,
    ]);
    const report = reportOf(slow);
    expect(slow.code).toBe(1);
    expect(report.by_status).toEqual({ timeout: report.requests_total });
    expect(report).toMatchObject({ error_rate: 1, verdict: 'failed', slo: { p95_within_target: false } });
    expect(report.latency_ms.p50).toBeGreaterThanOrEqual(999);
    expect(report.sample_errors).toHaveLength(10);
    expect(report.sample_errors[0]).toMatchObject({ kind: 'timeout', path: '/a' });
  });

  it('keeps errors, refusals and lost connections apart', async () => {
    let asked = 0;
    const url = await serve((request, response) => {
      if (request.url !== '/a') return void response.end('ok');
      asked += 1;
      if (asked % 10 === 1) response.writeHead(503);
      if (asked % 10 === 2) response.writeHead(404);
      if (asked % 10 === 3) response.writeHead(429);
      if (asked % 10 === 4) return void request.socket.destroy();
      response.end('ok');
      return undefined;
    });
    const mixed = await run(['--base-url', url, '--rate', '100', ...short]);
    const { by_status: byStatus, requests_total: total, ...report } = reportOf(mixed);
    expect(mixed.code).toBe(1);
    for (const kind of ['503', '404', '429', 'reset']) expect((byStatus[kind] ?? 0) / total).toBeCloseTo(0.1, 1);
    expect(report.requests_error).toBe((byStatus['503'] ?? 0) + (byStatus.reset ?? 0));
    expect(report.requests_limited).toBe(byStatus['429']);
    expect(report.requests_success).toBe(byStatus['200']);
    expect(report.throughput_rps * 5).toBeLessThanOrEqual(report.requests_success);
  });

  it('follows no redirect, and ends with what was measured when it is interrupted', async () => {
    let askedElsewhere = 0;
    const elsewhere = await serve((_request, response) => {
      askedElsewhere += 1;
      response.end();
    });
    let asked = 0;
    const url = await serve((_request, response) => {
      asked += 1;
      response.writeHead(302, { location: `${elsewhere}/there` }).end();
    });
    const { file, starting } = start(['--base-url', url, '--rate', '50', ...short, '--duration-seconds', '600']);
    const process = await starting;
    await waitFor(() => asked > 100, { timeoutMs: 30_000, description: 'a hundred requests' });
    process.kill('SIGINT');
    expect((await process.exited).code).toBe(130);
    const report = await readReport(file);
    expect(process.output()).toContain('Interrupted: these are the figures until then.');
    expect(report?.interrupted).toBe(true);
    // What was under way is counted as open.
    const { open = 0, ...answered } = report?.by_status ?? {};
    expect(answered).toEqual({ 302: (report?.requests_total ?? 0) - open });
    expect(report?.verdict).not.toBe('passed');
    expect(report?.requests_total).toBeGreaterThan(90);
    expect(askedElsewhere).toBe(0);
  });

  it('says that nobody waited when it is interrupted while the queues are worked off', async () => {
    let depth = 0;
    const url: string = await serve((request, response) => {
      if (request.url === '/api/ops/targets') {
        const labels = { process: 'maintenance', version: '1' };
        response.end(JSON.stringify([{ targets: [request.headers.host], labels }]));
      } else if (request.url === '/metrics') {
        response.end(`omnizap_queue_depth{queue="domain_event_outbox_pending"} ${depth}\n`);
      } else {
        if (request.url === '/a') depth = 1_000;
        response.end('ok');
      }
    });
    const { file, starting } = start(['--base-url', url, '--rate', '20', ...short, '--recovery-seconds', '600']);
    const process = await starting;
    await waitFor(() => process.output().includes('waiting for the queues'), {
      timeoutMs: 30_000,
      description: 'the end of the load',
    });
    process.kill('SIGINT');
    expect((await process.exited).code).toBe(130);
    expect(process.output()).toContain('not waited for');
    expect(await readReport(file)).toMatchObject({
      interrupted: true,
      verdict: 'unreliable',
      queue: { unknown: null, recovery_seconds: null, recovery_limit_seconds: 0 },
    });
  });

  it('compares with a baseline of the same load, and refuses any other', async () => {
    let asked = 0;
    const url = await serve((request, response) => {
      if (request.url === '/a') asked += 1;
      response.end('ok');
    });
    const minute = ['--rate', '100', ...short, '--duration-seconds', '60'];
    const baseline = path.join(folder, 'baseline.json');
    const earlier = { ...sampleReport({ latencyMs: 500, seed: 1, args: minute, paths: ['/a'] }), dataset: null };
    await writeFile(baseline, JSON.stringify(earlier));
    const load = ['--base-url', url, ...minute];
    const again = await run([...load, '--compare', baseline]);
    expect(reportOf(again).comparison).toMatchObject({ is_worse: false });
    expect(again.output).toContain('WARNING: the baseline is of another machine (host');
    // A machine that is busy otherwise makes a run unreliable, and says so.
    expect(again.code).toBe(again.report?.verdict === 'passed' ? 0 : 1);
    const other = await run([...load, '--rate', '90', '--compare', baseline]);
    expect(other.code).toBe(2);
    expect(other.output).toContain('rate 90 against 100');
    const wrong = await run([...load, '--compare', path.resolve('package.json')]);
    expect(wrong.code).toBe(2);
    expect(wrong.output).toContain('is no report of this tool');
    await writeFile(baseline, JSON.stringify({ ...earlier, slices: [{ ...earlier.slices[0], histogram: 'x' }] }));
    const damaged = await run([...load, '--compare', baseline]);
    expect(damaged.code).toBe(2);
    expect(asked).toBe(reportOf(again).requests_total);
  }, 150_000);

  it('does not load what it could not report', async () => {
    let asked = 0;
    const url = await serve((_request, response) => {
      asked += 1;
      response.end('ok');
    });
    const nowhere = await run(['--base-url', url, '--rate', '100', ...short, '--out', path.resolve('package.json/x')]);
    expect(nowhere.code).toBe(2);
    expect(nowhere.output).toContain('cannot be written');
    expect(asked).toBe(0);
  });

  it('goes to no other machine, and says what to do when nobody answers', async () => {
    const foreign = await run(['--base-url', 'http://192.0.2.1:9102', ...short]);
    expect(foreign.code).toBe(2);
    expect(foreign.output).toContain('192.0.2.1 is not this machine');
    const nobody = await run(['--base-url', 'http://127.0.0.1:1', ...short]);
    expect(nobody.code).toBe(2);
    expect(nobody.output).toContain('does not answer (ECONNREFUSED)');
    expect(foreign.report ?? nobody.report).toBeNull();
  });
});

describe('against a fleet', () => {
  const metricsToken = 'a-token-that-only-this-test-knows';
  let fleet: Fleet;
  beforeAll(async () => {
    // Maintenance comes afterwards: its first ranking has what it finds.
    fleet = await startFleet('postgres', {
      env: { METRICS_TOKEN: metricsToken },
      processes: fleetProcesses.filter((name) => name !== 'maintenance'),
    });
    const seed = await spawnProcess('tools/seed.ts', ['--packs', '60', '--stickers-per-pack', '4'], fleet.env, {
      waitForReady: false,
    });
    const { code } = await seed.exited;
    if (code !== 0) throw new Error(`The seed ended with code ${String(code)}:\n${seed.output()}`);
    await fleet.start('maintenance');
    await waitFor(
      async () => {
        const answer = await fetch(`${fleet.apiUrl}/api/sticker-packs/stats`);
        return answer.ok && ((await answer.json()) as { data: { packs_total: number } }).data.packs_total > 0;
      },
      { timeoutMs: 90_000, description: 'a ranking' },
    );
  }, 300_000);
  afterAll(async () => {
    await fleet?.stop();
  });

  it('asks for what the catalogue has, counts opens, and sees the queues come to rest', async () => {
    const load = ['--base-url', fleet.apiUrl, '--rate', '60', '--duration-seconds', '8', '--warmup-seconds', '1'];
    const whole = await run([...load, '--recovery-seconds', '90'], { METRICS_TOKEN: metricsToken });
    const report = reportOf(whole);
    expect(whole.output.trimStart().split('\n')[0]).toMatch(/opens and likes will be written to .*--mix reads/);
    expect(report.requests_error).toBe(0);
    expect(Object.keys(report.by_status).every((status) => ['200', '304'].includes(status))).toBe(true);
    expect(report.by_status['304']).toBeGreaterThan(0);
    for (const label of [
      'list popular',
      'list filtered',
      'list next page',
      'search found',
      'pack',
      'sticker still',
      'open',
    ])
      expect(report.by_path[label]?.requests).toBeGreaterThan(0);
    expect(report.dataset?.packs).toBeGreaterThan(30);
    expect(report.queue.unknown).toBeNull();
    expect(report.queue.recovery_seconds).not.toBeNull();
    const opens = await fleet.database
      .knex('sticker_pack_interaction_event')
      .where({ interaction: 'open' })
      .count({ count: '*' });
    expect(Number(opens[0]?.count)).toBeGreaterThan(0);
    expect(whole.code).toBe(report.verdict === 'passed' ? 0 : 1);
  });

  it('does not know the queues without the token, and leaves nothing behind with --mix reads', async () => {
    const rows = async (): Promise<number> =>
      Number((await fleet.database.knex('sticker_pack_interaction_event').count({ count: '*' }))[0]?.count);
    const before = await rows();
    const load = ['--base-url', fleet.apiUrl, '--rate', '40', '--duration-seconds', '5', '--warmup-seconds', '0'];
    const reads = reportOf(await run([...load, '--mix', 'reads']));
    expect(reads.queue.unknown).toContain('METRICS_TOKEN');
    expect(reads.by_path.open).toBeUndefined();
    expect(await rows()).toBe(before);
  });
});
