/** Everything that a fleet prints on one terminal, each line under the name of its process. */
import type { Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import { styleText } from 'node:util';

const COLOURS = ['cyan', 'magenta', 'yellow', 'green', 'blue', 'red'] as const;

export type ConsoleOutput = {
  /** A line of the supervisor itself. */
  say: (line: string) => void;
  /** A line of the process `name`. */
  write: (name: string, line: string) => void;
  /** Copies a stream line by line; `onLine` sees them too. */
  follow: (name: string, stream: Readable, onLine?: (line: string) => void) => void;
};

/** `width`: of the column of names. */
export function createConsoleOutput(target: NodeJS.WritableStream, width: number): ConsoleOutput {
  const colours = new Map<string, (typeof COLOURS)[number]>();
  // A terminal that was closed must not end the fleet before it is stopped in order.
  target.on('error', () => undefined);
  const write = (name: string, line: string): void => {
    const colour = colours.get(name) ?? COLOURS[colours.size % COLOURS.length] ?? 'cyan';
    colours.set(name, colour);
    target.write(`${styleText(colour, `${name.padEnd(width)} |`, { stream: target })} ${line}\n`);
  };
  return {
    write,
    say: (line) => void target.write(`${line}\n`),
    follow: (name, stream, onLine) => {
      createInterface({ input: stream, crlfDelay: Infinity }).on('line', (line) => {
        onLine?.(line);
        write(name, line);
      });
    },
  };
}
