/** How far the demo is: one line that is drawn again and again on a terminal, a handful of plain lines anywhere else. */

const barWidth = 24;
const redrawMs = 100;
/** Without a terminal, a line is printed each time another part of this size is done. */
const plainStep = 0.25;
const fallbackColumns = 80;

export type Counts = { drawn: number; uploaded: number; classified: number; ready: number };

export type Output = { isTTY?: boolean; columns?: number; write: (text: string) => unknown };

export type DemoProgress = {
  /** Leaves out what did not change. */
  update: (counts: Partial<Counts>) => void;
  add: (stage: 'drawn' | 'uploaded', count?: number) => void;
  counts: () => Counts;
  /** Prints a whole line; the drawn one makes room. */
  say: (line: string) => void;
};

export function createDemoProgress(
  output: Output,
  total: number,
  now: () => number = () => performance.now(),
): DemoProgress {
  const counts: Counts = { drawn: 0, uploaded: 0, classified: 0, ready: 0 };
  const isTerminal = output.isTTY === true;
  let lastDrawnAt = -Infinity;
  let plainSteps = 0;

  const share = (): number =>
    (counts.drawn + counts.uploaded + counts.classified + counts.ready) / (4 * Math.max(1, total));
  const words = (): string =>
    `drawn ${counts.drawn}, uploaded ${counts.uploaded}, classified ${counts.classified}, ready ${counts.ready} of ${total}`;

  function show(): void {
    if (isTerminal) {
      // The last step is always drawn: it is what stays on the screen while the ranking is awaited.
      if (now() - lastDrawnAt < redrawMs && share() < 1) return;
      lastDrawnAt = now();
      const filled = Math.round(Math.min(1, share()) * barWidth);
      const line = `Demo [${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}] ${words()}`;
      output.write(`\r\u001b[2K${line.slice(0, (output.columns ?? fallbackColumns) - 1)}`);
      return;
    }
    const steps = Math.floor(share() / plainStep);
    if (steps <= plainSteps) return;
    plainSteps = steps;
    output.write(`Demo catalogue: ${words()}\n`);
  }

  return {
    update(changes) {
      Object.assign(counts, changes);
      show();
    },
    add(stage, count = 1) {
      counts[stage] += count;
      show();
    },
    counts: () => ({ ...counts }),
    say(line) {
      output.write(`${isTerminal ? '\r\u001b[2K' : ''}${line}\n`);
    },
  };
}
