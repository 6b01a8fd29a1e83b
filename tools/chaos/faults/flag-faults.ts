/** What happens to flags: flipped at random, faster and more than any rollout does it. */
import type { Fault } from './fault.ts';

const flips = { low: 5, high: 10 };
/** Close upon the one before, so that some are overtaken before anybody has heard of them. */
const closeShare = 0.5;
const closeMs = { low: 40, high: 400 };
/** Longer than a process needs to hear of it, so that the time it takes can be seen. */
const apartMs = { low: 2_000, high: 2_800 };

export const flagFlipFault: Fault = {
  name: 'flag-flip',
  summary:
    "five to ten flips of any flags within seconds: typed as SQL, by the CLI's way, three at once as in an emergency",
  reach: 'flags',
  isAboutLanes: true,
  async inject(context, random) {
    for (let left = context.flips ?? random.between(flips.low, flips.high); left > 0; left -= 1) {
      // A database that is away refuses one; the next comes all the same.
      await context.flipper.flip(random).catch(() => undefined);
      const { low, high } = random.chance(closeShare) ? closeMs : apartMs;
      await context.wait(random.between(low, high));
    }
  },
};
