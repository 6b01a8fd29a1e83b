/**
 * `npm run db:seed [-- credentials | --packs N]`: the demo catalogue, only the keys that it is pushed with, or a made-up catalogue
 * of any size.
 */
import { constants } from 'node:os';
import path from 'node:path';
import { loadConfig } from '@omnizap/runtime';
import { bulkHelp, parseBulkOptions, type BulkOptions } from './seed/bulk/bulk-options.ts';
import { seedBulk } from './seed/bulk/seed-bulk.ts';
import { ensureDevCredentials, readDevCredentials } from './seed/dev-credentials.ts';
import { seedDemo } from './seed/seed-demo.ts';

const stop = new AbortController();
let stopCode = 1;

function requestStop(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP'): void {
  stopCode = 128 + constants.signals[signal];
  stop.abort();
}

const usage = 'usage: npm run db:seed [-- demo | credentials | --packs N ...]; npm run db:seed -- --help';

async function main(args: string[]): Promise<number> {
  const [command = 'demo', ...rest] = args;
  if (command === '--help' || command === '-h') {
    process.stdout.write(`${usage}\n\n${bulkHelp}`);
    return 0;
  }
  if (command.startsWith('--')) return await fillInBulk(args);
  if ((command !== 'demo' && command !== 'credentials') || rest.length > 0) {
    process.stderr.write(`${usage}\n`);
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

async function fillInBulk(args: string[]): Promise<number> {
  let options: BulkOptions;
  try {
    options = parseBulkOptions(args);
  } catch (error) {
    process.stderr.write(`seed: ${(error as Error).message}\n\n${bulkHelp}`);
    return 2;
  }
  await seedBulk(options, { config: loadConfig(), output: process.stdout, signal: stop.signal });
  return 0;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => requestStop(signal));
// Whoever started us is gone.
process.on('disconnect', () => requestStop('SIGTERM'));
if (process.connected === false) requestStop('SIGTERM');
process.channel?.unref();

try {
  process.exit(await main(process.argv.slice(2)));
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
