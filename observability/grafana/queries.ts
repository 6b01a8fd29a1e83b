/**
 * The forms that queries of panels have. All of them ask for the job and the instances that were chosen above; what counts up is
 * always a rate over $__rate_interval, so that no zoom shows gaps or a restart as a fall.
 */

/** One metric of the chosen processes. */
export function series(name: string, ...matchers: string[]): string {
  return `${name}{${['job=~"$job"', 'instance=~"$instance"', ...matchers].join(',')}}`;
}

/** Per second, summed by labels. */
export function perSecond(by: readonly string[], counter: string, ...matchers: string[]): string {
  return `${aggregate('sum', by)} (rate(${series(counter, ...matchers)}[$__rate_interval]))`;
}

/** How many in each interval that the panel draws, summed by labels. */
export function countOf(by: readonly string[], counter: string, ...matchers: string[]): string {
  return `${aggregate('sum', by)} (increase(${series(counter, ...matchers)}[$__rate_interval]))`;
}

/**
 * What the leader alone exports, by labels of its own: the greatest, without instance, process and version of who says so. When
 * another process takes the lead it is the same line, and while the old one still says it too, it is not twice as much.
 */
export function fromLeader(by: readonly string[], gauge: string, ...matchers: string[]): string {
  return `${aggregate('max', by)} (${series(gauge, ...matchers)})`;
}

export function greatest(by: readonly string[], gauge: string, ...matchers: string[]): string {
  return `${aggregate('max', by)} (${series(gauge, ...matchers)})`;
}

export function sumOf(by: readonly string[], gauge: string, ...matchers: string[]): string {
  return `${aggregate('sum', by)} (${series(gauge, ...matchers)})`;
}

/** `part` 0-1, of a histogram; by labels. In the histogram's unit. */
export function quantile(part: number, by: readonly string[], histogram: string, ...matchers: string[]): string {
  return `histogram_quantile(${part}, ${perSecond(['le', ...by], `${histogram}_bucket`, ...matchers)})`;
}

/** The mean of a histogram; by labels. In the histogram's unit. */
export function mean(by: readonly string[], histogram: string, ...matchers: string[]): string {
  return `${perSecond(by, `${histogram}_sum`, ...matchers)} / ${perSecond(by, `${histogram}_count`, ...matchers)}`;
}

/**
 * The part of `all` that is `some`, 0-1. Where there is none of `some` yet, it is 0 and not unknown.
 * Both have to be summed by the same labels.
 */
export function ratio(some: string, all: string): string {
  return `(${some} or 0 * ${all}) / ${all}`;
}

/**
 * The part of what was asked that `failed`, 0-1, where only what ended well is counted in `answered`: without any answer it is all of
 * it, and not unknown or beyond all limits. Both have to be summed by the same labels.
 */
export function failedPart(failed: string, answered: string): string {
  return `(${failed} or 0 * ${answered}) / (${answered} > ${failed} or ${failed} or ${answered})`;
}

function aggregate(operation: 'sum' | 'max', by: readonly string[]): string {
  return by.length === 0 ? operation : `${operation} by (${by.join(', ')})`;
}
