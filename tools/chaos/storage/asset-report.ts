/** What a person and what a program is told about the bytes of stickers while the bucket was killed. */
import { phases } from './asset-figures.ts';
import type { AssetFigures } from './asset-figures.ts';

const p99TargetMs = 750;
/** Two seconds between looks at the bucket, and one for a look. */
const handOutTargetMs = 3_000;

export function printAssets(all: (AssetFigures | null)[]): string[] {
  const runs = all.filter((run) => run !== null);
  const [first] = runs;
  if (first === undefined) return [];
  const lines = phases.map((phase) => {
    const own = runs.map((run) => run.phases[phase]);
    const asked = own.reduce((sum, figures) => sum + figures.asked, 0);
    const failed = own.reduce((sum, figures) => sum + figures.failed, 0);
    const p50 = slowest(own.map(({ p50Ms }) => p50Ms));
    const p99 = slowest(own.map(({ p99Ms }) => p99Ms));
    return `stickers' bytes ${phase.padEnd(7)}${failed} of ${asked} failed; p50 ${milliseconds(p50)}, p99 ${milliseconds(p99, p99TargetMs)} (mode ${first.mode}, of the slowest run)`;
  });
  const handedOut = runs.flatMap(({ lastHandedOutMs }) => lastHandedOutMs).filter((value) => value !== null);
  const again = runs.flatMap(({ usedAgainMs }) => usedAgainMs).filter((value) => value !== null);
  if (first.mode === 'redirect')
    lines.push(
      `addresses           the last one ${milliseconds(slowest(handedOut), handOutTargetMs)} after a kill (the longest of ${handedOut.length}); what failed had been sent to the bucket by then, unless it is a finding`,
    );
  lines.push(`bucket used again   after ${milliseconds(slowest(again))} (the longest of ${again.length} outages)`);
  return lines;
}

export function toAssetsJson(all: (AssetFigures | null)[]): object[] {
  return all
    .filter((run) => run !== null)
    .map(({ mode, phases: figures, lastHandedOutMs, usedAgainMs }) => ({
      mode,
      phases: Object.fromEntries(
        phases.map((phase) => {
          const { asked, failed, redirected, p50Ms, p99Ms } = figures[phase];
          return [phase, { asked, failed, redirected, p50_ms: finite(p50Ms), p99_ms: finite(p99Ms) }];
        }),
      ),
      last_handed_out_ms: lastHandedOutMs,
      used_again_ms: usedAgainMs,
    }));
}

const finite = (value: number): number | null => (Number.isFinite(value) ? Math.round(value) : null);
const slowest = (values: number[]): number => {
  const known = values.filter(Number.isFinite);
  return known.length === 0 ? NaN : Math.max(...known);
};
const milliseconds = (value: number, target?: number): string => {
  if (!Number.isFinite(value)) return 'not measured';
  if (target === undefined) return `${Math.round(value)} ms`;
  return `${Math.round(value)} ms (target ${target} ms${value > target ? ': MISSED' : ''})`;
};
