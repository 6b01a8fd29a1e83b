/** `<data dir>/runtime.json`: where the running fleet is, for commands started beside it. It holds passwords: 0600. */
import { rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

export type RuntimeContent = {
  /** The supervisor's. */
  pid: number;
  database_url: string;
  queue_database_url: string;
  api_url: string | null;
  processes: { name: string; url: string; pid: number }[];
};

export type RuntimeFile = {
  write: (content: RuntimeContent) => Promise<void>;
  remove: () => Promise<void>;
};

/** Writes are whole (a reader never sees half a file) and in the order of the calls. */
export function createRuntimeFile(dataDir: string): RuntimeFile {
  const file = path.join(dataDir, 'runtime.json');
  const draft = `${file}.new`;
  let last = Promise.resolve();
  const inOrder = async (step: () => Promise<void>): Promise<void> => {
    last = last.catch(() => undefined).then(step);
    await last;
  };
  return {
    write: async (content) =>
      await inOrder(async () => {
        await rm(draft, { force: true });
        await writeFile(draft, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
        await rename(draft, file);
      }),
    remove: async () =>
      await inOrder(async () => {
        await rm(draft, { force: true });
        await rm(file, { force: true });
      }),
  };
}
