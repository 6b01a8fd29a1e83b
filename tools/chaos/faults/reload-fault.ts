/** What an operator's rolling restart does, again and again: the new process first, then the old one goes. */
import type { Slot } from '../fleet.ts';
import type { Fault } from './fault.ts';

const forMs = { low: 8_000, high: 12_000 };
const notNowMs = 500;

export const reloadLoopFault: Fault = {
  name: 'reload-loop',
  summary:
    'for 8 to 12 s processes are replaced again and again: the new one is ready before the old one is told to stop; no request may fail',
  reach: 'processes',
  async inject(context, random) {
    const endsAt = performance.now() + random.between(forMs.low, forMs.high);
    const { slots } = context.fleet;
    // API processes on their own, so that both are replaced however slow the others start.
    const groups = [slots.filter(({ kind }) => kind === 'api'), slots.filter(({ kind }) => kind !== 'api')];
    const reload = async (group: Slot[]): Promise<void> => {
      const order = random.shuffle(group);
      for (let index = 0; performance.now() < endsAt; index += 1) {
        const slot = order[index % order.length];
        if (!slot) return;
        const replacement = await context.fleet.replace(slot);
        if (replacement === null) await context.wait(notNowMs);
        else {
          context.replacements.push(replacement);
          context.note({
            replaced: slot.name,
            stopped_in_ms: replacement.endedAt - replacement.askedAt,
            is_killed: replacement.isKilled,
          });
        }
      }
    };
    await Promise.all(groups.map(reload));
  },
};
