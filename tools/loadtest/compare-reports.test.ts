import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { compareReports, differences, doubts, judgeRatio, readBaseline } from './compare-reports.ts';
import { createLatencyHistogram } from './latency-histogram.ts';
import { reportSchema } from './report-schema.ts';
import { sampleReport } from './sample-report.ts';

const empty = createLatencyHistogram(2).encode();
const minute = ['--rate', '100', '--duration-seconds', '60'];

const judgements = (current: number, baseline: number) => {
  const found = compareReports(
    sampleReport({ latencyMs: current, seed: 1, args: minute }),
    sampleReport({ latencyMs: baseline, seed: 2, args: minute }),
    'b.json',
    0.1,
  );
  return { isWorse: found.is_worse, p95: found.figures.find(({ name }) => name === 'p95_ms') };
};

describe('a comparison', () => {
  it('passes what is the same or better by less than a tenth', () => {
    expect(judgements(20, 20)).toMatchObject({ isWorse: false, p95: { judgement: 'same' } });
    expect(judgements(21, 20)).toMatchObject({ isWorse: false, p95: { judgement: 'same' } });
  });

  it('fails what is worse by more than a tenth for certain, and praises what is better', () => {
    const { isWorse, p95 } = judgements(26, 20);
    expect(isWorse).toBe(true);
    expect(p95).toMatchObject({ judgement: 'worse' });
    expect(p95?.ratio).toBeCloseTo(1.3, 1);
    expect(p95?.interval?.low).toBeGreaterThan(1);
    expect(judgements(20, 26)).toMatchObject({ isWorse: false, p95: { judgement: 'better' } });
  });

  it('does not mind fractions of a millisecond', () => {
    expect(judgements(0.8, 0.5)).toMatchObject({ isWorse: false, p95: { judgement: 'same' } });
  });

  it.each([
    [1.2, { low: 1.05, high: 1.4 }, 'worse'],
    [1.2, { low: 0.9, high: 1.6 }, 'uncertain'],
    [1.2, null, 'uncertain'],
    [1.1, { low: 1.09, high: 1.11 }, 'same'],
    [0.8, { low: 0.7, high: 0.9 }, 'better'],
    [0.8, { low: 0.7, high: 1.1 }, 'uncertain'],
  ] as const)('calls a ratio of %d in %j %s', (ratio, interval, judgement) => {
    expect(judgeRatio(ratio, interval, 0.1)).toBe(judgement);
  });
});

describe('a baseline', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'omnizap-baseline-'));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
  });
  const file = async (content: string): Promise<string> => {
    const name = path.join(folder, 'baseline.json');
    await writeFile(name, content);
    return name;
  };

  it('is read again as it was written', async () => {
    const report = sampleReport({ latencyMs: 20, seed: 1 });
    expect(await readBaseline(await file(JSON.stringify(report)))).toEqual(report);
  });

  it.each([
    ['', /is no JSON/],
    ['[1', /is no JSON/],
    ['{}', /is no report of this tool \("report_version"/],
    ['null', /is no report of this tool/],
    ['[]', /is no report of this tool/],
    [JSON.stringify({ ...sampleReport({ latencyMs: 1, seed: 1 }), latency_ms: { p50: 'fast' } }), /"latency_ms\.p50"/],
  ])('of another shape is refused: %.40s', async (content, message) => {
    await expect(readBaseline(await file(content))).rejects.toThrow(message);
  });

  const whole = sampleReport({ latencyMs: 1, seed: 1 });
  const [slice] = whole.slices;
  it.each<[string, object, RegExp]>([
    ['a run that was interrupted', { interrupted: true }, /was interrupted/],
    ['figures that nobody can rely on', { verdict: 'unreliable' }, /are unreliable/],
    ['no slices', { slices: [] }, /has 0 slices of 1 s for a run of 30 s/],
    ['slices of another length', { slice_seconds: 2 }, /has 30 slices of 2 s/],
    ['slices without a length', { slice_seconds: 0 }, /"slice_seconds"/],
    [
      'a slice that is damaged',
      { slices: [...whole.slices.slice(1), { ...slice, histogram: 'HISTFAAAAB42' }] },
      /read/,
    ],
    ['a histogram that is damaged', { histogram: '' }, /cannot be read/],
    ['nothing measured', { slices: whole.slices.map((one) => ({ ...one, histogram: empty })) }, /has no latencies/],
  ])('of %s is refused before the load', async (_what, values, message) => {
    await expect(readBaseline(await file(JSON.stringify({ ...whole, ...values })))).rejects.toThrow(message);
  });

  it('of another machine can be compared, and says so', () => {
    const elsewhere = { ...whole, machine: { ...whole.machine, host: 'other', cores: 64 } };
    expect(doubts(whole, whole)).toEqual([]);
    expect(doubts(whole, elsewhere)).toEqual(['host h against other', 'cores 2 against 64']);
    expect(compareReports(whole, elsewhere, 'b.json', 0.1).other_machine).toHaveLength(2);
  });

  it('that is missing is refused', async () => {
    await expect(readBaseline(path.join(folder, 'missing.json'))).rejects.toThrow(/cannot be read \(ENOENT\)/);
  });

  const mine = sampleReport({ latencyMs: 20, seed: 1 });
  it('of the same load on nearly as much data can be compared', () => {
    expect(differences(mine, { ...mine, dataset: { packs: 101, stickers: 1_990 } })).toEqual([]);
  });

  it.each<[string, Parameters<typeof differences>[1], RegExp]>([
    ['paths', sampleReport({ latencyMs: 20, seed: 1, paths: ['/a', '/c'] }), /other paths \(\/b, \/c\)/],
    ['rate', sampleReport({ latencyMs: 20, seed: 1, args: ['--rate', '90'] }), /rate 100 against 90/],
    ['model', sampleReport({ latencyMs: 20, seed: 1, args: ['--concurrency', '9'] }), /model open against closed/],
    [
      'duration',
      sampleReport({ latencyMs: 20, seed: 1, args: ['--rate', '100', '--duration-seconds', '40'] }),
      /duration 30 against 40/,
    ],
    ['arrivals', { ...mine, arrivals: 'even' }, /arrivals random against even/],
    ['mix', { ...mine, mix: 'reads' }, /mix mixed against reads/],
    ['number of workers', { ...mine, generator: { ...mine.generator, workers: 9 } }, /workers \d against 9/],
    [
      'number of connections',
      { ...mine, generator: { ...mine.generator, connections: 9 } },
      /connections 512 against 9/,
    ],
    ['catalogue', { ...mine, dataset: { packs: 100, stickers: 3_000 } }, /2000 stickers against 3000/],
    ['catalogue that is not known', { ...mine, dataset: null }, /not known/],
  ])('of another %s cannot', (_what, other, words) => {
    expect(differences(mine, other).join()).toMatch(words);
  });
});

describe('a report', () => {
  it('is of the shape that baselines are read by, and names what the contract names', () => {
    const report = reportSchema.parse(sampleReport({ latencyMs: 20, seed: 1 }));
    expect(Object.keys(report)).toEqual(
      expect.arrayContaining(
        'started_at ended_at base_url duration_seconds concurrency paths requests_total requests_success requests_error error_rate throughput_rps latency_ms by_status by_path slo sample_errors'.split(
          ' ',
        ),
      ),
    );
    expect(report).toMatchObject({
      requests_total: 3_000,
      throughput_rps: 100,
      slo: { target_ms: 750, p95_within_target: true },
    });
  });
});
