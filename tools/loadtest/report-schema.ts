/** The report of a run: names are public (runbooks/contract.md, section 9). A baseline is read by the same shape. */
import { z } from 'zod';

const percentiles = z.object({
  p50: z.number(),
  p90: z.number(),
  p95: z.number(),
  p99: z.number(),
  p999: z.number(),
  max: z.number(),
});

export const reportSchema = z.object({
  report_version: z.literal(1),
  started_at: z.string(),
  ended_at: z.string(),
  base_url: z.string(),
  model: z.enum(['open', 'closed']),
  note: z.string(),
  duration_seconds: z.number().nonnegative(),
  warmup_seconds: z.number(),
  timeout_ms: z.number(),
  /** Null in the open model. */
  concurrency: z.number().nullable(),
  offered_rate_rps: z.number().nullable(),
  arrivals: z.enum(['random', 'even']).nullable(),
  seed: z.number(),
  mix: z.enum(['reads', 'mixed', 'paths']),
  paths: z.array(z.string()),
  /** Kinds of requests of the mix that the catalogue has nothing for. */
  left_out: z.array(z.string()),
  /** Opens and likes; null without them. `can_count`: at most, when none of this address came before in their windows. */
  votes: z.object({ sent: z.number(), can_count: z.number() }).nullable(),
  requests_total: z.number(),
  requests_success: z.number(),
  requests_refused: z.number(),
  requests_limited: z.number(),
  requests_error: z.number(),
  error_rate: z.number(),
  throughput_rps: z.number(),
  achieved_share: z.number().nullable(),
  received_bytes: z.number(),
  latency_ms: percentiles,
  latency_from_send_ms: percentiles,
  by_status: z.record(z.string(), z.number()),
  by_error: z.record(z.string(), z.number()),
  by_path: z.record(
    z.string(),
    z.object({
      weight: z.number(),
      requests: z.number(),
      errors: z.number(),
      refused: z.number(),
      latency_ms: percentiles,
    }),
  ),
  slo: z.object({ target_ms: z.number(), p95_within_target: z.boolean() }),
  sample_errors: z.array(z.object({ at: z.string(), path: z.string(), kind: z.string(), message: z.string() })),
  verdict: z.enum(['passed', 'failed', 'unreliable']),
  gates: z.array(z.object({ name: z.string(), is: z.number(), limit: z.string(), passed: z.boolean() })),
  interrupted: z.boolean(),
  generator: z.object({
    workers: z.number(),
    connections: z.number(),
    is_saturated: z.boolean(),
    reasons: z.array(z.string()),
    late_share: z.number(),
    unsent: z.number(),
    utilisation: z.number(),
    loop_delay_p99_ms: z.number(),
  }),
  queue: z
    .object({
      unknown: z.string().nullable(),
      before: z.record(z.string(), z.number()),
      peak: z.record(z.string(), z.number()),
      after: z.record(z.string(), z.number()),
      depth_before: z.number(),
      depth_peak: z.number(),
      depth_after: z.number(),
      recovery_seconds: z.number().nullable(),
      recovery_limit_seconds: z.number(),
      samples: z.array(z.object({ at_seconds: z.number(), depth: z.number() })),
    })
    .nullable(),
  knee: z
    .object({
      p99_limit_ms: z.number(),
      rate_rps: z.number().nullable(),
      limited_by: z.enum(['latency', 'rate', 'errors', 'refused', 'generator', 'bounds']),
      steps: z.array(
        z.object({
          rate_rps: z.number(),
          achieved_rps: z.number(),
          p99_ms: z.number(),
          passed: z.boolean(),
          reason: z.enum(['latency', 'rate', 'errors', 'refused', 'generator']).nullable(),
        }),
      ),
    })
    .nullable(),
  comparison: z
    .object({
      baseline: z.string(),
      baseline_started_at: z.string(),
      /** In what respects the two runs' machines differ; empty: not at all. */
      other_machine: z.array(z.string()),
      worse_than_ratio: z.number(),
      is_worse: z.boolean(),
      figures: z.array(
        z.object({
          name: z.string(),
          baseline: z.number(),
          is: z.number(),
          ratio: z.number(),
          interval: z.object({ low: z.number(), high: z.number() }).nullable(),
          judgement: z.enum(['same', 'better', 'worse', 'uncertain']),
        }),
      ),
    })
    .nullable(),
  dataset: z.object({ packs: z.number(), stickers: z.number() }).nullable(),
  target_version: z.string().nullable(),
  tool: z.object({ version: z.string(), commit: z.string().nullable() }),
  machine: z.object({
    host: z.string(),
    cores: z.number(),
    cpu: z.string(),
    memory_gib: z.number(),
    kernel: z.string(),
    node: z.string(),
    load_before: z.number(),
  }),
  slice_seconds: z.number().positive(),
  /** `histogram`: HdrHistogram, V2 compressed, base64, microseconds. */
  slices: z.array(
    z.object({
      at_seconds: z.number(),
      due: z.number(),
      ended: z.number(),
      errors: z.number(),
      refused: z.number(),
      p50: z.number(),
      p95: z.number(),
      p99: z.number(),
      histogram: z.string(),
    }),
  ),
  /** The whole run's; of the same form. */
  histogram: z.string(),
});

export type LoadReport = z.infer<typeof reportSchema>;
export type Comparison = NonNullable<LoadReport['comparison']>;
