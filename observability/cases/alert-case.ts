/** Series that fire an alert, and series that keep it silent, for promtool. */
import type { Duration } from '../slo.ts';

/** A series' name with its labels, and its samples as promtool writes them: `0+60x30`, `_x5`, `1x10 0x10`. */
export type Series = Readonly<Record<string, string>>;

export type AlertCase = {
  /** What happens, in words. */
  title: string;
  series: Series;
  /** When to look, from the first sample on. */
  at: Duration;
  /** Between two samples, and between two evaluations. */
  step?: Duration;
};

export type FiringCase = AlertCase & {
  /** The expression may hold by then, and the alert still has to wait. */
  notYetAt?: Duration;
  /** How many fire, if not one. */
  count?: number;
};

export type AlertCases = { fires: readonly FiringCase[]; silent: readonly AlertCase[] };

export type CasesOf = Readonly<Record<string, AlertCases>>;

/** Minutes after which constant series end, where nothing else is said. */
const defaultMinutes = 60;

/** One value all the time. */
export function constant(value: number, minutes = defaultMinutes): string {
  return `${value}x${minutes}`;
}

/** A counter that grows by so much at each step. */
export function growing(perStep: number, steps = defaultMinutes): string {
  return `0+${perStep}x${steps}`;
}

type Phase = { perStep: number; steps: number };

/** A counter that grows at one pace after the other. */
export function phases(...paces: readonly Phase[]): string {
  let value = 0;
  return paces
    .map(({ perStep, steps }, index) => {
      // The first sample of a later phase comes a step after the last one of the phase before.
      const first = index === 0 ? value : value + perStep;
      const more = index === 0 ? steps : steps - 1;
      value = first + perStep * more;
      return `${first}+${perStep}x${more}`;
    })
    .join(' ');
}

const publicReads = 'route_group="catalog_api_public",method="GET"';

/** Requests of the public API by the class of their answer, as counters. */
export function requests(byClass: Readonly<Record<string, string>>): Series {
  return Object.fromEntries(
    Object.entries(byClass).map(([statusClass, samples]) => [
      `omnizap_http_requests_total{${publicReads},status_class="${statusClass}"}`,
      samples,
    ]),
  );
}

/** Answered reads: all of them, and those that took at most 1.5 s. */
export function reads({ all, quick }: { all: string; quick: string }): Series {
  const labels = `${publicReads},status_class="2xx"`;
  return {
    [`omnizap_http_request_duration_ms_count{${labels}}`]: all,
    [`omnizap_http_request_duration_ms_bucket{${labels},le="1500"}`]: quick,
    [`omnizap_http_request_duration_ms_bucket{${labels},le="+Inf"}`]: all,
  };
}

const edges = [200, 350, 500, 750, 1_000, 1_500, 2_000] as const;

/** So many answers at each step, all of which take longer than one edge of the histogram and at most as long as the next, `upToMs`. */
export function latencies({ upToMs, perStep }: { upToMs: (typeof edges)[number]; perStep: number }): Series {
  const labels = `${publicReads},status_class="2xx"`;
  const bucket = (edge: number | '+Inf', samples: string): [string, string] => [
    `omnizap_http_request_duration_ms_bucket{${labels},le="${edge}"}`,
    samples,
  ];
  return {
    ...Object.fromEntries(edges.map((edge) => bucket(edge, edge < upToMs ? constant(0) : growing(perStep)))),
    ...Object.fromEntries([bucket('+Inf', growing(perStep))]),
    ...requests({ '2xx': growing(perStep) }),
  };
}
