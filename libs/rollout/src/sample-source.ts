/** Where samples come from: each live process of the fleet, or Prometheus when there is one. */
import { z } from 'zod';
import { AppError, type LiveProcess } from '@omnizap/runtime';
import { parseMetrics, type Series } from './metrics-text.ts';
import type { SourceSample } from './tally.ts';

/** Shorter than the time between two samples. */
const answerTimeoutMs = 3_000;
/** A page of metrics has some hundred kilobytes; more is not ours. */
const mostCharacters = 8_000_000;
const startSeries = 'process_start_time_seconds';

export type Sampled = { samples: SourceSample[]; /** Processes that are alive and did not answer. */ silent: string[] };

/** `names`: of series. @throws Error when nobody answered */
export type SampleSource = (names: Set<string>, processes: LiveProcess[]) => Promise<Sampled>;

export function createFleetSource(options: { metricsToken: string | undefined }): SampleSource {
  const headers: Record<string, string> =
    options.metricsToken === undefined ? {} : { Authorization: `Bearer ${options.metricsToken}` };

  async function scrape(process: LiveProcess, names: Set<string>): Promise<SourceSample> {
    const response = await fetch(new URL('/metrics', String(process.status.url)), {
      headers,
      redirect: 'error',
      signal: AbortSignal.timeout(answerTimeoutMs),
    });
    const text = await response.text();
    if (!response.ok || text.length > mostCharacters)
      throw new Error(`${process.processName} answered ${response.status}`);
    return sourceSample(
      process.processId,
      parseMetrics(text, (name) => names.has(name) || name === startSeries),
    );
  }

  return async (names, processes) => {
    const answers = await Promise.allSettled(processes.map((process) => scrape(process, names)));
    const samples = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    const silent = processes.filter((_, index) => answers[index]?.status === 'rejected').map((one) => one.processName);
    if (samples.length === 0) throw new AppError('unavailable', 'No process of the fleet answers at /metrics.');
    return { samples, silent };
  };
}

const answerSchema = z.object({
  status: z.literal('success'),
  data: z.object({
    resultType: z.literal('vector'),
    result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) })),
  }),
});

export function createPrometheusSource(options: { url: string }): SampleSource {
  return async (names) => {
    const query = `{__name__=~"${[...names, startSeries].join('|')}"}`;
    const url = new URL(`${options.url.replace(/\/$/, '')}/api/v1/query`);
    const response = await fetch(url, {
      method: 'POST',
      body: new URLSearchParams({ query }),
      signal: AbortSignal.timeout(answerTimeoutMs),
    });
    if (!response.ok) throw new AppError('unavailable', `Prometheus answered ${response.status}.`);
    const { data } = answerSchema.parse(await response.json());
    const bySource = Map.groupBy(data.result, ({ metric }) => metric.instance ?? '');
    const samples = [...bySource].map(([instance, rows]) =>
      sourceSample(
        instance,
        rows.map(({ metric: { __name__: name = '', ...labels }, value: [, value] }) => ({
          name,
          labels,
          value: Number(value),
        })),
      ),
    );
    if (samples.length === 0) throw new AppError('unavailable', 'Prometheus knows none of the metrics.');
    return { samples, silent: [] };
  };
}

function sourceSample(source: string, series: Series[]): SourceSample {
  const started = series.find(({ name }) => name === startSeries)?.value;
  return {
    source,
    startedAt: started === undefined ? null : started * 1_000,
    series: series.filter(({ name }) => name !== startSeries),
  };
}
