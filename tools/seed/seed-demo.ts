/**
 * The demo catalogue, from an empty list to a ranked one, through the public API alone: what works here works for everybody. It
 * prefers leaving a catalogue alone over adding to one that somebody uses.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '@omnizap/runtime';
import { z } from 'zod';
import { createApiClient } from './api-client.ts';
import { demoPacks } from './demo-packs.ts';
import { createDemoProgress, type Output } from './demo-progress.ts';
import { openDemoState } from './demo-state.ts';
import { configureDrawing } from './draw-sticker.ts';
import { waitUntilRanked, waitUntilSettled } from './follow-packs.ts';
import { createPacks, pushPacks } from './push-packs.ts';

const runtimeFileSchema = z.object({ api_url: z.url() });

export type DemoOptions = {
  dataDir: string;
  /** Used when no fleet runs on this data directory. */
  fallbackApiUrl: string | undefined;
  ownerKey: string;
  output: Output;
  signal: AbortSignal;
};

/** @throws AppError when the API is unknown, out of reach or refuses; the signal's reason when it is aborted */
export async function seedDemo({ dataDir, fallbackApiUrl, ownerKey, output, signal }: DemoOptions): Promise<void> {
  const baseUrl = (await apiUrlOfRunningFleet(dataDir)) ?? fallbackApiUrl;
  if (baseUrl === undefined || !URL.canParse(baseUrl)) {
    throw new AppError(
      'configuration-invalid',
      'No API: run this beside a running "npm start", or set STICKER_API_URL to the URL of an API.',
    );
  }
  const progress = createDemoProgress(
    output,
    demoPacks.reduce((sum, pack) => sum + pack.emojis.length, 0),
  );
  const state = await openDemoState(dataDir, ownerKey);
  if (state.isCompleted()) {
    progress.say('Demo catalogue: already there.');
    return;
  }
  const api = createApiClient({ baseUrl, ownerKey, signal });
  if (!state.isStarted() && (await api.listPacks()).length > 0) {
    progress.say('Demo catalogue: left out, because the catalogue already has packs.');
    return;
  }

  const watch = startWatch();
  progress.say(
    state.isStarted()
      ? 'Demo catalogue: going on where the last run stopped.'
      : `Demo catalogue: pushing ${demoPacks.length} packs to ${baseUrl}`,
  );
  configureDrawing();
  const deps = { api, state, progress, signal };
  const keys = await createPacks(deps, demoPacks);
  const expected = new Map(demoPacks.map(({ slug, emojis }) => [keys.get(slug) ?? '', emojis.length]));
  let pushed = '';
  const [packs] = await Promise.all([
    waitUntilSettled(deps, expected),
    pushPacks(deps, demoPacks, keys).then(() => (pushed = watch())),
  ]);
  const settled = watch();
  const automaticPacks = await waitUntilRanked(deps, packs);
  await state.complete();
  const stickers = packs.flatMap((pack) => pack.stickers);
  const rejected = stickers.filter(({ status }) => status === 'rejected').length;
  progress.say(
    `Demo catalogue: ${packs.length} packs with ${stickers.length - rejected} stickers${rejected > 0 ? ` (${rejected} rejected)` : ''}` +
      ` and ${automaticPacks} automatic packs after ${watch()} s (pushed ${pushed}, ready ${settled}).`,
  );
}

function startWatch(): () => string {
  const startedAt = performance.now();
  return () => ((performance.now() - startedAt) / 1_000).toFixed(1);
}

async function apiUrlOfRunningFleet(dataDir: string): Promise<string | undefined> {
  try {
    return runtimeFileSchema.parse(JSON.parse(await readFile(path.join(dataDir, 'runtime.json'), 'utf8'))).api_url;
  } catch {
    // No fleet runs here, or its API is not up yet.
    return undefined;
  }
}
