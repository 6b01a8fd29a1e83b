/** Durations in PromQL: made shorter by a factor, so that windows of days can be tried in minutes. */

const millisecondsOf: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const parts = /(\d+)(ms|[smhd])/g;

/** Milliseconds of what Prometheus writes as `90s`, `23h30m` or `500ms`. */
export function parseDuration(text: string): number {
  let sum = 0;
  const rest = text.replaceAll(parts, (_, count: string, unit: string) => {
    sum += Number(count) * (millisecondsOf[unit] ?? 0);
    return '';
  });
  if (rest !== '' || text === '') throw new Error(`${text} is no duration: write 30s, 5m, 23h30m`);
  return sum;
}

/** The duration divided by `timeScale`, in the largest unit that says it exactly, to the millisecond. */
export function scaleDuration(text: string, timeScale: number): string {
  if (timeScale === 1) return text;
  const scaled = Math.round(parseDuration(text) / timeScale);
  if (scaled === 0) return '0s';
  const unit = ['d', 'h', 'm', 's'].find((name) => scaled % (millisecondsOf[name] ?? 1) === 0) ?? 'ms';
  return `${scaled / (millisecondsOf[unit] ?? 1)}${unit}`;
}

/** All windows `[5m]` and offsets of an expression, scaled. Names of recorded series keep theirs: `increase1h` is a name. */
export function scaleExpression(expression: string, timeScale: number): string {
  return expression.replaceAll(
    /(\[|\boffset )((?:\d+(?:ms|[smhd]))+)/g,
    (_, before: string, duration: string) => `${before}${scaleDuration(duration, timeScale)}`,
  );
}
