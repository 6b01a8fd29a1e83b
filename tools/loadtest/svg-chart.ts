/** Line charts as SVG text. Colours are classes, so that the page decides about them in light and in dark. */
import { escapeHtml } from './escape-html.ts';

export type Series = { name: string; className: string; points: [x: number, y: number][]; hasDots?: boolean };
export type ChartOptions = {
  title: string;
  unit: string;
  xName: string;
  series: Series[];
  /** Where the labels of the x axis stand; default: five round values. */
  xTicks?: { at: number; label: string }[];
  /** A level that must not be passed. */
  limit?: { at: number; label: string };
};

const width = 720;
const height = 260;
const margin = { top: 30, right: 16, bottom: 44, left: 64 };
const yTicks = 4;

export function lineChart({ title, unit, xName, series, xTicks, limit }: ChartOptions): string {
  const drawn = series.filter(({ points }) => points.length > 0);
  const all = drawn.flatMap(({ points }) => points);
  if (all.length === 0) return '';
  const xs = all.map(([x]) => x);
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const highest = Math.max(...all.map(([, y]) => y));
  // A limit that is far away would press the lines flat.
  const shownLimit = limit !== undefined && limit.at <= highest * 4 ? limit : undefined;
  const top = niceCeiling(Math.max(highest, shownLimit?.at ?? 0));
  const plot = { width: width - margin.left - margin.right, height: height - margin.top - margin.bottom };
  const px = (x: number): string => (margin.left + ((x - left) / (right - left || 1)) * plot.width).toFixed(1);
  const py = (y: number): string => (margin.top + (1 - y / top) * plot.height).toFixed(1);

  const grid = Array.from({ length: yTicks + 1 }, (_none, index) => (top * index) / yTicks).map(
    (y) =>
      `<line class="grid" x1="${margin.left}" x2="${width - margin.right}" y1="${py(y)}" y2="${py(y)}"/>` +
      `<text class="tick end" x="${margin.left - 8}" y="${py(y)}" dy="4">${tickText(y)}</text>`,
  );
  const ticks = (xTicks ?? roundTicks(left, right)).filter(({ at }) => at >= left && at <= right);
  const axis = ticks.map(
    ({ at, label }) =>
      `<text class="tick middle" x="${px(at)}" y="${height - margin.bottom + 18}">${escapeHtml(label)}</text>`,
  );
  const lines = drawn.map(({ className, points, hasDots }) => {
    const path = points.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${px(x)} ${py(y)}`).join('');
    const dots =
      (hasDots ?? false)
        ? points.map(([x, y]) => `<circle class="${className}" cx="${px(x)}" cy="${py(y)}" r="3.5"/>`)
        : [];
    return `<path class="line ${className}" d="${path}"/>${dots.join('')}`;
  });
  const limitLine =
    shownLimit === undefined
      ? ''
      : `<line class="limit" x1="${margin.left}" x2="${width - margin.right}" y1="${py(shownLimit.at)}" y2="${py(shownLimit.at)}"/>` +
        `<text class="tick end" x="${width - margin.right}" y="${py(shownLimit.at)}" dy="-4">${escapeHtml(shownLimit.label)}</text>`;
  const legend = drawn.map(
    ({ name, className }) => `<li><span class="swatch ${className}"></span>${escapeHtml(name)}</li>`,
  );
  return (
    `<figure><figcaption>${escapeHtml(title)} <small>(${escapeHtml(unit)})</small></figcaption>` +
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(`${title}, highest ${tickText(highest)} ${unit}`)}">` +
    `${grid.join('')}${axis.join('')}${limitLine}${lines.join('')}` +
    `<text class="tick middle" x="${margin.left + plot.width / 2}" y="${height - 6}">${escapeHtml(xName)}</text></svg>` +
    `<ul class="legend">${legend.join('')}</ul></figure>`
  );
}

/** The next of 1, 2, 2.5, 5 times a power of ten. */
export function niceCeiling(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 2.5, 5, 10].find((step) => step * power >= value * 0.999_999) ?? 10) * power;
}

function roundTicks(left: number, right: number): { at: number; label: string }[] {
  const step = niceCeiling((right - left) / 6);
  const first = Math.ceil(left / step) * step;
  return Array.from({ length: Math.floor((right - first) / step) + 1 }, (_none, index) => first + index * step).map(
    (at) => ({
      at,
      label: tickText(at),
    }),
  );
}

function tickText(value: number): string {
  const rounded = Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
  return rounded.toLocaleString('en-US', { maximumFractionDigits: 3 });
}
