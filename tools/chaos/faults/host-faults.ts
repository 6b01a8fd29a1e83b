/** What happens to the host: clocks that jump, disks that fill up. */
import { pickSlot } from './fault.ts';
import type { Fault } from './fault.ts';

const jumpMs = 5 * 60_000;

export const clockJumpFault: Fault = {
  name: 'clock-jump',
  summary: 'the clock of one process (not the API) jumps by five minutes, forwards or back, for 6 to 10 s',
  reach: 'processes',
  async inject(context, random) {
    const slot = pickSlot(context, random, ['relay', 'classification', 'curation', 'rebuild', 'maintenance']);
    const offsetMs = random.pick([jumpMs, -jumpMs]);
    const forMs = random.between(6_000, 10_000);
    context.note({ clock_of: slot.name, offset_ms: offsetMs, for_ms: forMs });
    await context.shiftClock(slot.name, offsetMs);
    try {
      await context.wait(forMs);
    } finally {
      await context.shiftClock(slot.name, 0);
    }
  },
};

export const diskFullFault: Fault = {
  name: 'disk-full',
  summary: 'the disk of PostgreSQL is full for 3 to 6 s; the server may end by that and is started again',
  reach: 'database',
  needs: 'small disk',
  async inject(context, random) {
    if (!context.fillDisk) {
      context.note({ skipped: 'the disk is not a small one' });
      return;
    }
    const forMs = random.between(3_000, 6_000);
    const ends = context.servers.queue.ownEnds();
    const free = await context.fillDisk();
    try {
      await context.wait(forMs);
    } finally {
      await free();
      // One that ended by itself is being started again since.
      await context.servers.queue.start();
    }
    context.note({ disk_full_for_ms: forMs, server_ended: context.servers.queue.ownEnds() - ends });
  },
};
