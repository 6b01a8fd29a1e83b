/** The fleet's embedded PostgreSQL: started before everything, started again when it dies (it does on a full disk), stopped last. */
import { setTimeout as delay } from 'node:timers/promises';
import { startEmbeddedPostgres } from '@omnizap/embedded';
import type { EmbeddedPostgres } from '@omnizap/embedded';
import { AppError } from '@omnizap/runtime';
import { createBackoff } from './backoff.ts';
import { tryPort } from './check-ports.ts';
import type { ConsoleOutput } from './console-output.ts';

const NAME = 'postgres';

export type ManagedPostgres = {
  /** Resolves with its URL, which stays the same over restarts. */
  start: () => Promise<string>;
  stop: (hurry: boolean) => Promise<void>;
};

type Options = {
  dataDir: string;
  port: { preferred: number; isFixed: boolean };
  output: ConsoleOutput;
};

/** Nothing runs until `start`. */
export function createManagedPostgres({ dataDir, port, output }: Options): ManagedPostgres {
  const abort = new AbortController();
  const backoff = createBackoff();
  let server: EmbeddedPostgres | null = null;
  let work: Promise<unknown> = Promise.resolve();

  async function run(wantedPort: number): Promise<EmbeddedPostgres> {
    const started = await startEmbeddedPostgres({ dataDir, port: wantedPort, signal: abort.signal, log });
    const startedAt = performance.now();
    server = started;
    output.write(NAME, `ready on 127.0.0.1:${started.port} (pid ${started.pid})`);
    started.onExit(({ code, signal }) => {
      server = null;
      work = bringBack(started.port, signal ?? `code ${String(code)}`, performance.now() - startedAt);
    });
    return started;
  }

  async function bringBack(wantedPort: number, reason: string, upMs: number): Promise<void> {
    let problem = `ended (${reason})`;
    let wasUpMs = upMs;
    while (!abort.signal.aborted) {
      const pauseMs = backoff.next(wasUpMs);
      output.write(NAME, `${problem}; starting it again in ${pauseMs / 1000} s`);
      try {
        await delay(pauseMs, undefined, { signal: abort.signal });
        await run(wantedPort);
        return;
      } catch (error) {
        problem = error instanceof Error ? error.message : String(error);
        wasUpMs = 0;
      }
    }
  }

  /** Its routine messages would bury the fleet's; what ends it is shown. */
  function log(line: string): void {
    if (/\b(PANIC|FATAL|WARNING)\b/.test(line) && !abort.signal.aborted) output.write(NAME, line);
  }

  return {
    start: async () => {
      const problem = await tryPort('127.0.0.1', port.preferred);
      if (problem !== null && port.isFixed) {
        throw new AppError(
          'configuration-invalid',
          `Port ${port.preferred} of the embedded PostgreSQL ${problem}: set EMBEDDED_POSTGRES_PORT to another port`,
        );
      }
      const starting = run(problem === null ? port.preferred : 0);
      work = starting;
      return (await starting).url;
    },
    stop: async (hurry) => {
      abort.abort();
      await work.catch(() => undefined);
      await server?.stop({ hurry });
    },
  };
}
