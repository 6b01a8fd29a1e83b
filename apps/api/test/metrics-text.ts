/** Reads Prometheus' text format by its own rules (https://prometheus.io/docs/instrumenting/exposition_formats). */
export type Sample = { series: string; labels: Record<string, string>; value: number };

export type Scrape = {
  /** `counter`, `gauge`, `histogram` or `summary`, by the metric's name. */
  types: Map<string, string>;
  samples: Sample[];
};

/** @throws Error with the line that is none */
export function readMetricsText(text: string): Scrape {
  const types = new Map<string, string>();
  const samples: Sample[] = [];
  for (const line of text.split('\n')) {
    const [, name, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
    if (name !== undefined && type !== undefined) {
      if (types.has(name)) throw new Error(`${name} has two types`);
      types.set(name, type);
    } else if (line !== '' && !line.startsWith('# HELP ')) samples.push(readSample(line));
  }
  const names = samples.map(({ series, labels }) => JSON.stringify([series, Object.entries(labels).toSorted()]));
  const double = names.find((name, index) => names.indexOf(name) !== index);
  if (double !== undefined) throw new Error(`A series is there twice: ${double}`);
  return { types, samples };
}

function readSample(line: string): Sample {
  const [, series, list = '', value] =
    /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\.)*",?)*)\})? (\S+)(?: -?\d+)?$/.exec(line) ?? [];
  const number = Number(value === '+Inf' ? Infinity : value === '-Inf' ? -Infinity : value);
  if (series === undefined || (Number.isNaN(number) && value !== 'Nan' && value !== 'NaN'))
    throw new Error(`This is no sample: ${line}`);
  const pairs = [...list.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label = '', text = '']) => [label, text]);
  return { series, labels: Object.fromEntries(pairs) as Record<string, string>, value: number };
}
