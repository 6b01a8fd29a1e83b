/**
 * The history of a run, one JSON object per line, as Jepsen keeps it: what each client asked (`invoke`) and was told (`ok`,
 * `refused`, `unknown`), what was done to the fleet and what its processes did. Times are milliseconds since the epoch.
 */
import { createWriteStream } from 'node:fs';

export type HistoryFile = {
  path: string;
  write: (type: string, entry: object) => void;
  close: () => Promise<void>;
};

export function openHistoryFile(path: string): HistoryFile {
  const stream = createWriteStream(path, { flags: 'a' });
  stream.on('error', (error) => process.stderr.write(`chaos: the history cannot be written: ${error.message}\n`));
  return {
    path,
    write(type, entry) {
      stream.write(`${JSON.stringify({ at: Date.now(), type, ...entry })}\n`);
    },
    close: () => new Promise((resolve) => stream.end(() => resolve())),
  };
}
