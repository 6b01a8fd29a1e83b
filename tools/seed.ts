/** `npm run db:seed [-- credentials]`: the demo catalogue, or only the keys that it is pushed with. */
import { constants } from 'node:os';
import path from 'node:path';
import { loadConfig } from '@omnizap/runtime';
import { ensureDevCredentials, readDevCredentials } from './seed/dev-credentials.ts';
import { seedDemo } from './seed/seed-demo.ts';

const stop = new AbortController();
let stopCode = 1;

function requestStop(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP'): void {
  stopCode = 128 + constants.signals[signal];
  stop.abort();
}

async function main(command: string, rest: string[]): Promise<number> {
  if ((command !== 'demo' && command !== 'credentials') || rest.length > 0) {
    process.stderr.write('usage: npm run db:seed [-- demo | credentials]\n');
    return 2;
  }
  if (command === 'credentials') {
    await ensureDevCredentials(loadConfig());
    return 0;
  }
  const dataDir = path.resolve(process.env.STICKER_DATA_DIR || 'data');
  const { owner_key } = (await readDevCredentials(dataDir)) ?? (await ensureDevCredentials(loadConfig()));
  await seedDemo({
    dataDir,
    fallbackApiUrl: process.env.STICKER_API_URL || undefined,
    ownerKey: owner_key,
    output: process.stdout,
    signal: stop.signal,
  });
  return 0;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => requestStop(signal));
// Whoever started us is gone.
process.on('disconnect', () => requestStop('SIGTERM'));
if (process.connected === false) requestStop('SIGTERM');
process.channel?.unref();

try {
  process.exit(await main(process.argv[2] ?? 'demo', process.argv.slice(3)));
} catch (error) {
  const isStopped = stop.signal.aborted;
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(
    isStopped
      ? `${process.stderr.isTTY ? '\n' : ''}seed: stopped; the next run goes on from here.\n`
      : `seed: ${message}\n`,
  );
  process.exit(isStopped ? stopCode : 1);
}
