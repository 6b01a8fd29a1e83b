/** How far work of minutes or hours is and when it will be done: one line drawn again on a terminal, a plain line per tenth elsewhere. */
const barWidth = 24;
const redrawMs = 200;
const plainLines = 10;
const fallbackColumns = 80;

type LongProgress = {
  at: (done: number, total: number) => void;
  /** Prints a whole line; the drawn one makes room. */
  say: (line: string) => void;
  /** Keeps the drawn line, and makes room for what others say next. */
  done: () => void;
};

type Output = { isTTY?: boolean; columns?: number; write: (text: string) => unknown };

/** `things`: what is counted, in the plural. `already`: of them, what an earlier run did, which says nothing of how fast this one is. */
export function createLongProgress(
  output: Output,
  { label, things, already = 0 }: { label: string; things: string; already?: number },
  now: () => number = () => performance.now(),
): LongProgress {
  const startedAt = now();
  let drawnAt = -Infinity;
  let plainSteps = 0;
  let hasLine = false;

  function words(done: number, total: number): string {
    const seconds = (now() - startedAt) / 1_000;
    const perSecond = seconds > 0 ? (done - already) / seconds : 0;
    const left = done < total && perSecond > 0 ? `, ${duration((total - done) / perSecond)} left` : '';
    return `${count(done)} of ${count(total)} ${things}, ${count(Math.round(perSecond))}/s${left}`;
  }

  return {
    at(done, total) {
      if (output.isTTY === true) {
        if (now() - drawnAt < redrawMs && done < total) return;
        drawnAt = now();
        hasLine = true;
        const filled = total === 0 ? barWidth : Math.min(barWidth, Math.floor((done / total) * barWidth));
        const line = `${label} [${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}] ${words(done, total)}`;
        output.write(`\r\u001b[2K${line.slice(0, (output.columns ?? fallbackColumns) - 1)}`);
        return;
      }
      const steps = total === 0 ? 0 : Math.floor((done * plainLines) / total);
      plainSteps = Math.max(plainSteps, total === 0 ? 0 : Math.floor((already * plainLines) / total));
      if (steps <= plainSteps) return;
      plainSteps = steps;
      output.write(`${label}: ${words(done, total)}\n`);
    },
    say(line) {
      output.write(`${output.isTTY === true ? '\r\u001b[2K' : ''}${line}\n`);
      hasLine = false;
    },
    done() {
      if (hasLine) output.write('\n');
      hasLine = false;
    },
  };
}

const count = (value: number): string => value.toLocaleString('en-US');

function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3_600)} h ${Math.floor((whole % 3_600) / 60)} min`;
}
