/** How far the filling is and when it will be done: one line drawn again on a terminal, a plain line per tenth anywhere else. */
import type { Output } from '../demo-progress.ts';

const barWidth = 24;
const redrawMs = 200;
const plainStep = 0.1;
const fallbackColumns = 80;

export type BulkProgress = {
  /** `done` of all packs are there. */
  update: (done: number) => void;
  /** Prints a whole line; the drawn one makes room. */
  say: (line: string) => void;
};

/** `already`: of the `total` packs, those that an earlier run left; they say nothing about how fast this one is. */
export function createBulkProgress(
  output: Output,
  { total, already }: { total: number; already: number },
  now: () => number = () => performance.now(),
): BulkProgress {
  const startedAt = now();
  let drawnAt = -Infinity;
  let plainSteps = Math.floor(already / total / plainStep);

  function words(done: number): string {
    const seconds = (now() - startedAt) / 1_000;
    const perSecond = seconds > 0 ? (done - already) / seconds : 0;
    const left = perSecond > 0 ? `, ${duration((total - done) / perSecond)} left` : '';
    return `${count(done)} of ${count(total)} packs, ${count(Math.round(perSecond))}/s${done < total ? left : ''}`;
  }

  return {
    update(done) {
      if (output.isTTY === true) {
        if (now() - drawnAt < redrawMs && done < total) return;
        drawnAt = now();
        const filled = Math.floor((done / total) * barWidth);
        const line = `Seed [${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}] ${words(done)}`;
        output.write(`\r\u001b[2K${line.slice(0, (output.columns ?? fallbackColumns) - 1)}`);
        return;
      }
      const steps = Math.floor(done / total / plainStep);
      if (steps <= plainSteps) return;
      plainSteps = steps;
      output.write(`Seed: ${words(done)}\n`);
    },
    say(line) {
      output.write(`${output.isTTY === true ? '\r\u001b[2K' : ''}${line}\n`);
    },
  };
}

const count = (value: number): string => value.toLocaleString('en-US');

function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
