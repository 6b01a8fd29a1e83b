/** How long somebody waits who uploads one sticker to a fleet that has nothing else to do. */
import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '@omnizap/testkit';
import { drawBenchStickers, type DrawingKind } from './bench-drawings.ts';
import type { Bench, Measurement } from './bench-types.ts';
import { createOwnerSession, stickersPerPack, type OwnerSession, type StickerState } from './owner-session.ts';
import { createSeededRandom } from '../simulation/seeded-random.ts';
import { percentile } from './statistics.ts';

const pollMs = 25;
const timeoutMs = 60_000;
/** Uploads come at any moment of the fleet's own timers, not in step with them. */
const longestPauseMs = 300;

type Question = {
  kind: DrawingKind;
  count: number;
  name: string;
  isAnswered: (sticker: StickerState) => boolean;
  targetMs: number;
};

const isReady = (sticker: StickerState): boolean => sticker.status === 'ready';
const isClassified = (sticker: StickerState): boolean => sticker.classification !== null;

const questions: Question[] = [
  { kind: 'webp', count: 40, name: 'WebP, upload to classification', isAnswered: isClassified, targetMs: 2_000 },
  { kind: 'png', count: 40, name: 'PNG, upload to ready', isAnswered: isReady, targetMs: 5_000 },
  { kind: 'jpeg', count: 40, name: 'JPEG, upload to ready', isAnswered: isReady, targetMs: 5_000 },
];

export const uploadLatencyBench: Bench = {
  name: 'upload-latency',
  summary:
    'Idle fleet: one upload until its classification (WebP) or its derivatives (PNG, JPEG) are visible to its owner.',
  rounds: 3,
  async prepare({ startFleet, say, signal }) {
    say('drawing');
    const drawn = await Promise.all(questions.map(async ({ kind, count }) => await drawBenchStickers(kind, count, 1)));
    const fleet = await startFleet();
    return async (round) => {
      const session = await createOwnerSession(fleet);
      const random = createSeededRandom(round);
      const measurements: Measurement[] = [];
      for (const [index, question] of questions.entries()) {
        await fleet.whenQuiet();
        const stickers = drawn[index] ?? [];
        const latencies: number[] = [];
        let packKey = '';
        for (const [place, sticker] of stickers.entries()) {
          signal.throwIfAborted();
          // Short packs: the polled answer should not grow.
          if (place % (stickersPerPack / 3) === 0) packKey = await session.createPack(`Latency ${place}`);
          const startedAt = performance.now();
          const stickerId = await session.addSticker(packKey, sticker, place);
          await until(session, packKey, stickerId, question.isAnswered);
          latencies.push(performance.now() - startedAt);
          await until(session, packKey, stickerId, isReady);
          await delay(random() * longestPauseMs, undefined, { signal });
        }
        measurements.push(
          { name: `${question.name}, p50`, unit: 'ms', value: percentile(latencies, 50) },
          {
            name: `${question.name}, p95`,
            unit: 'ms',
            value: percentile(latencies, 95),
            target: { atMost: question.targetMs },
          },
        );
      }
      return measurements;
    };
  },
};

async function until(
  session: OwnerSession,
  packKey: string,
  stickerId: string,
  isAnswered: (sticker: StickerState) => boolean,
): Promise<void> {
  await waitFor(
    async () => {
      const sticker = (await session.stickersOf(packKey)).find((entry) => entry.sticker_id === stickerId);
      if (sticker?.status === 'rejected') throw new Error('the sticker was rejected');
      return sticker !== undefined && isAnswered(sticker);
    },
    { timeoutMs, intervalMs: pollMs, description: 'the uploaded sticker' },
  );
}
