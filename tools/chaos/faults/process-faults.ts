/** What happens to processes: killed, frozen, asked to stop, replaced one after the other. */
import { pickSlot } from './fault.ts';
import type { Fault } from './fault.ts';

/** A process lease lasts 6 s: a process that sleeps longer wakes up as somebody whose work others have. */
const pauseMs = { low: 7_000, high: 9_500 };
const rollingPauseMs = 5_000;
const longestRollSeconds = 40;

export const killFault: Fault = {
  name: 'kill',
  summary: 'SIGKILL of one to three processes of any kind, in quick succession',
  reach: 'processes',
  async inject(context, random) {
    const count = random.between(1, 3);
    for (let index = 0; index < count; index += 1) {
      const slot = pickSlot(context, random);
      const pauseMsBetween = random.between(0, 800);
      const life = context.fleet.kill(slot);
      context.note({ killed: slot.name, pid: life?.pid ?? null });
      await context.wait(pauseMsBetween);
    }
  },
};

export const pauseFault: Fault = {
  name: 'pause',
  summary: 'SIGSTOP of one process for longer than its lease, then SIGCONT',
  reach: 'processes',
  async inject(context, random) {
    const slot = pickSlot(context, random);
    const forMs = random.between(pauseMs.low, pauseMs.high);
    const life = context.fleet.pause(slot);
    context.note({ paused: slot.name, pid: life?.pid ?? null, for_ms: forMs });
    if (!life) return;
    try {
      await context.wait(forMs);
    } finally {
      context.fleet.resume(life);
    }
  },
};

export const terminateFault: Fault = {
  name: 'terminate',
  summary: 'SIGTERM of one process, which has to end cleanly within 15 s',
  reach: 'processes',
  async inject(context, random) {
    const slot = pickSlot(context, random);
    context.note({ terminated: slot.name });
    await context.fleet.terminate(slot);
  },
};

export const rollingRestartFault: Fault = {
  name: 'rolling-restart',
  summary: 'SIGTERM of one process after the other, one every 5 s, in a drawn order, as a deployment does',
  reach: 'processes',
  async inject(context, random) {
    const order = random.shuffle(context.fleet.slots);
    const count = Math.max(3, Math.floor(Math.min(longestRollSeconds, context.durationSeconds) / 5));
    const stops: Promise<void>[] = [];
    for (const slot of order.slice(0, count)) {
      context.note({ terminated: slot.name });
      stops.push(context.fleet.terminate(slot));
      await context.wait(rollingPauseMs);
    }
    await Promise.all(stops);
  },
};
