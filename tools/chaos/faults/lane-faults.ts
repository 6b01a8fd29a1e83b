/** What happens to lanes: all who work one are gone at once, and stay away. */
import type { Slot } from '../fleet.ts';
import type { Fault, FaultContext } from './fault.ts';

/** Longer than the bound within which others have to have the work: one that they left alone is seen to wait. */
const deadMs = { low: 22_000, high: 24_000 };
const canaryPercent = { low: 20, high: 80 };
const canaryShare = 0.5;
/** Until a canary that was just given a share has work in its queues. */
const shareKnownMs = 2_500;
const workerKinds = ['classification', 'curation', 'rebuild'];

export const laneDeathFault: Fault = {
  name: 'lane-death',
  summary:
    'SIGKILL of all dedicated workers, or of all canary workers, who stay dead for 22 to 24 s: others have their work within 15 s',
  reach: 'processes',
  isAboutLanes: true,
  async inject(context, random) {
    // Two at once would let up each other's dead.
    if (context.laneDeaths.some(({ untilMs }) => untilMs === Infinity)) {
      context.note({ skipped: 'another lane is dead already' });
      return;
    }
    const ofRelease = (release: string): Slot[] =>
      context.fleet.slots.filter((slot) => workerKinds.includes(slot.kind) && slot.release === release);
    const canaries = ofRelease('canary');
    const forMs = random.between(deadMs.low, deadMs.high);
    const isCanary = random.chance(canaryShare) && canaries.length > 0;
    const percent = random.between(canaryPercent.low, canaryPercent.high);
    if (isCanary) {
      await context.flipper.set('enable_worker_canary_release', { isEnabled: true, percent });
      await context.wait(shareKnownMs);
      await keepDead(context, canaries, ['canary'], forMs);
    }
    // The canary's workers are dedicated ones too: "all" means them as well.
    else await keepDead(context, [...ofRelease('stable'), ...canaries], ['stable', 'canary'], forMs);
  },
};

async function keepDead(
  { fleet, laneDeaths, note, wait }: FaultContext,
  slots: Slot[],
  lanes: string[],
  forMs: number,
): Promise<void> {
  const death = { lanes, atMs: Date.now(), untilMs: Infinity };
  for (const slot of slots) fleet.keepDown(slot);
  for (const slot of slots) fleet.kill(slot);
  laneDeaths.push(death);
  note({ dead_lanes: lanes, killed: slots.map(({ name }) => name), for_ms: forMs });
  try {
    await wait(forMs);
  } finally {
    death.untilMs = Date.now();
    for (const slot of slots) fleet.letUp(slot);
    note({ let_up: lanes });
  }
}
