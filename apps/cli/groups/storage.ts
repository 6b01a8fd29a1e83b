/** The bytes of stickers: what the bucket has, what it should have, and what nothing needs any more. */
import { backfillObjects, createStickerObjects, type BackfillResult } from '@omnizap/catalog';
import type { Command, Group } from '../command.ts';
import { gc, verify } from '../storage-commands.ts';
import { openBucket } from '../storage-bucket.ts';
import type { Terminal } from '../terminal.ts';

/** More than a local endpoint does; less than any service limits to. */
const defaultRate = 500;
const defaultConcurrency = 16;

const backfill: Command = {
  name: 'backfill',
  summary: 'Brings what the bucket should have, and has not, into it; run again, it goes on where it was',
  options: {
    rate: { type: 'string', value: 'n', description: `Objects per second at most (0.1..10000; ${defaultRate})` },
    concurrency: { type: 'string', value: 'n', description: `Objects at once (1..64; ${defaultConcurrency})` },
  },
  examples: ['storage backfill', 'storage backfill --rate 50 --concurrency 4', 'storage backfill --json'],
  async run({ options, session, terminal, isJson }) {
    const ratePerSecond = options.number('rate', { min: 0.1, max: 10_000, isWhole: false }) ?? defaultRate;
    const concurrency = options.number('concurrency', { min: 1, max: 64, isWhole: true }) ?? defaultConcurrency;
    const { store, objects } = await openBucket(session);
    const database = await session.database();
    const progress = terminal.longProgress('Backfill', 'objects');
    const result = await backfillObjects(
      {
        database,
        stickerObjects: createStickerObjects({ database, store, objects }),
        keyOf: ({ kind, sha256 }) => objects.key(kind, sha256),
      },
      { ratePerSecond, concurrency, onProgress: progress.at },
    ).finally(progress.done);
    if (isJson) terminal.json({ data: backfillJson(result) });
    else tellBackfill(terminal, result);
    return result.failed + result.missingHere === 0 ? 0 : 1;
  },
};

function tellBackfill(terminal: Terminal, result: BackfillResult): void {
  const { stored, seconds, wasThere, beingRemoved, missingHere, failed, failures, stopped } = result;
  const speed = seconds > 0 ? ` (${Math.round(stored / seconds)}/s)` : '';
  terminal.say(`${stored} objects brought in and checked in ${Math.ceil(seconds)} s${speed}.`);
  if (wasThere > 0) terminal.say(`${wasThere} were brought in by others meanwhile.`);
  if (beingRemoved > 0) terminal.say(`${beingRemoved} are being removed at this moment: run this again later.`);
  if (missingHere > 0)
    terminal.say(`${missingHere} are not on this host's disk: run this where stickers are taken in as well.`);
  if (failed > 0) terminal.say(`${failed} failed:`);
  for (const { key, reason } of failures) terminal.say(`  ${key}: ${reason}`);
  if (failed > failures.length) terminal.say(`  and ${failed - failures.length} more.`);
  if (stopped !== null) terminal.note(`Stopped early: ${stopped}`);
  if (failed > 0) terminal.note('The same command goes on with those that are left.');
}

const backfillJson = (result: BackfillResult): object => ({
  ...{ stored: result.stored, was_there: result.wasThere, being_removed: result.beingRemoved },
  ...{ missing_here: result.missingHere, failed: result.failed, failures: result.failures, stopped: result.stopped },
  seconds: Math.round(result.seconds * 10) / 10,
});

export const storage: Group = {
  name: 'storage',
  summary:
    'The bytes of stickers: filling the bucket, comparing it and this disk with the catalogue, removing what nothing needs',
  commands: [backfill, verify, gc],
};
