/**
 * What a command says: answers to stdout, everything else to stderr. On a terminal, tables fit its width and long work shows a
 * bar; into a pipe, nothing is cut and progress comes as lines.
 */
import { createInterface } from 'node:readline/promises';
import { createLongProgress } from '@omnizap/runtime';

const barWidth = 24;
const gap = '  ';
/** No column is cut below this: a narrow terminal wraps instead. */
const narrowestCell = 12;
/** The last column says most: the wide ones before it give way until it has this. */
const wantedLastCell = 40;

export type Terminal = ReturnType<typeof createTerminal>;

export function createTerminal(streams: {
  input: NodeJS.ReadStream;
  output: NodeJS.WriteStream;
  errors: NodeJS.WriteStream;
}) {
  const { input, output, errors } = streams;
  const say = (text: string): void => void output.write(`${text}\n`);
  const note = (text: string): void => void errors.write(`${text}\n`);

  return {
    say,
    /** To stderr: remarks, questions, progress. */
    note,
    json: (value: unknown): void => say(JSON.stringify(value, null, 2)),

    /** Columns as wide as they need. On a terminal the last one takes what is left of the line, and the first is never cut. */
    table(heading: string[], rows: string[][]): void {
      const lines = [heading, ...rows].map((row) => row.map(oneLine));
      const widths = heading.map((_, column) => Math.max(...lines.map((line) => [...(line[column] ?? '')].length)));
      if (output.isTTY) fit(widths, output.columns);
      for (const line of lines) {
        const cells = line.map((cell, column) => cut(cell, widths[column] ?? 0).padEnd(widths[column] ?? 0));
        say(cells.join(gap).trimEnd());
      }
    },

    /** `name  value` lines; what is not known is left out. */
    fields(values: Record<string, string | number | null | undefined>): void {
      const known = Object.entries(values).filter(([, value]) => value !== null && value !== undefined);
      const width = Math.max(0, ...known.map(([name]) => name.length));
      for (const [name, value] of known) say(`${name.padEnd(width)}${gap}${oneLine(String(value))}`);
    },

    /** Can somebody be asked? */
    isInteractive: (): boolean => input.isTTY && errors.isTTY,

    /** Asks on stderr; anything but yes is no. */
    async confirm(question: string): Promise<boolean> {
      const reader = createInterface({ input, output: errors });
      // Ctrl-D is no answer.
      const closed = new Promise<string>((resolve) => reader.once('close', () => resolve('')));
      const answer = await Promise.race([reader.question(`${question} [y/N] `), closed]);
      reader.close();
      return /^y(es)?$/i.test(answer.trim());
    },

    /** As `progress`, with how fast it goes and how long it takes still. */
    longProgress: (label: string, things: string) => createLongProgress(errors, { label, things }),

    /** Says how far long work is; `done` ends the bar's line. */
    progress(label: string): { at: (done: number, total: number) => void; done: () => void } {
      let hasBar = false;
      return {
        at(done, total) {
          const numbers = `${label} ${done} of ${total}`;
          if (!errors.isTTY) return note(numbers);
          hasBar = true;
          const filled = total === 0 ? barWidth : Math.min(barWidth, Math.round((done / total) * barWidth));
          errors.write(`\r[${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}] ${numbers}`);
        },
        done() {
          if (hasBar) errors.write('\n');
        },
      };
    },
  };
}

/** Text of others on a terminal: escape sequences in an error's message must not steer it. */
export function printable(text: string): string {
  return text.replaceAll(/(?![\n\t])\p{Cc}|[\u202a-\u202e\u2066-\u2069]/gu, '�');
}

/** `3 h`, `2 d`: how long ago. */
export function age(since: Date, now = Date.now()): string {
  const seconds = Math.max(0, Math.round((now - since.getTime()) / 1_000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** Changes the widths so that a line fits, as far as that can be. */
function fit(widths: number[], columns: number): void {
  const last = widths.length - 1;
  const left = (): number => columns - widths.slice(0, -1).reduce((sum, width) => sum + width + gap.length, 0);
  const wanted = Math.min(wantedLastCell, widths[last] ?? 0);
  for (;;) {
    const widest = Math.max(...widths.slice(1, -1));
    const missing = wanted - left();
    if (missing <= 0 || widest <= narrowestCell) break;
    const column = widths.indexOf(widest, 1);
    widths[column] = Math.max(narrowestCell, widest - missing);
  }
  widths[last] = Math.max(narrowestCell, Math.min(widths[last] ?? 0, left()));
}

function oneLine(text: string): string {
  return printable(text).replaceAll(/\s+/g, ' ').trim();
}

function cut(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join('')}…`;
}
