/** How a run goes: one line drawn again on a terminal, a plain line per tenth elsewhere. */
import type { LiveFigures } from './run-workers.ts';

type Output = { isTTY?: boolean; columns?: number; write: (text: string) => unknown };
export type LiveLine = {
  show: (label: string, figures: LiveFigures) => void;
  say: (line: string) => void;
  done: () => void;
};

const barWidth = 20;
const plainLines = 10;
const fallbackColumns = 100;

export function createLiveLine(output: Output): LiveLine {
  let hasLine = false;
  let lastTenth = 0;

  function clear(): void {
    if (hasLine) output.write('\r\u001b[2K');
    hasLine = false;
  }

  return {
    show(label, figures) {
      const share = Math.min(1, figures.elapsedSeconds / figures.totalSeconds);
      if (output.isTTY !== true) {
        const tenth = Math.floor(share * plainLines);
        if (tenth < lastTenth) lastTenth = 0;
        if (tenth <= lastTenth) return;
        lastTenth = tenth;
        output.write(`${label}: ${words(figures)}\n`);
        return;
      }
      const filled = Math.floor(share * barWidth);
      const line = `${label} [${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}] ${words(figures)}`;
      output.write(`\r\u001b[2K${line.slice(0, (output.columns ?? fallbackColumns) - 1)}`);
      hasLine = true;
    },
    say(line) {
      clear();
      output.write(`${line}\n`);
    },
    done() {
      clear();
      lastTenth = 0;
    },
  };
}

function words(figures: LiveFigures): string {
  const time = `${Math.floor(Math.min(figures.elapsedSeconds, figures.totalSeconds))} of ${figures.totalSeconds} s`;
  if (figures.isWarmup) return `${time}, warming up`;
  const { requests, p50, p95, p99, errors, refused } = figures;
  const latency = [p50, p95, p99].map((value) => (value >= 10 ? Math.round(value) : value.toFixed(1))).join('/');
  return `${time}, ${requests.toLocaleString('en-US')} requests, p50/95/99 ${latency} ms, ${errors} errors, ${refused} 4xx`;
}
