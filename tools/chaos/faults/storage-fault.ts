/** What happens to the bucket: its server is killed and started again while clients ask for what it has. */
import type { Fault, FaultContext } from './fault.ts';

/** Clients ask for so long before the first kill, so that there is something to compare with. */
const beforeMs = 4_000;
/** Longer than the API may take to notice when nobody's request tells it. */
const deadMs = { low: 5_500, high: 7_500 };
/** Longer than the API may take to use the bucket again. */
const aliveMs = { low: 6_000, high: 8_000 };
const secondsPerKill = 10;

export const objectStorageFault: Fault = {
  name: 'object-storage',
  summary:
    'SIGKILL of the S3 server and a start 5 to 8 s later, again and again, while 200 connections ask for the bytes of stickers',
  reach: 'storage',
  needs: 'object storage',
  async inject(context, random) {
    const { storage } = context;
    if (!storage) {
      context.note({ skipped: 'there is no object storage' });
      return;
    }
    await storage.assets.start();
    try {
      await context.wait(beforeMs);
      for (
        let kill = random.between(2, 2 + Math.floor(context.durationSeconds / secondsPerKill));
        kill > 0;
        kill -= 1
      ) {
        await outage(context, storage, random.between(deadMs.low, deadMs.high));
        await context.wait(random.between(aliveMs.low, aliveMs.high));
      }
    } finally {
      await storage.assets.stop();
    }
  },
};

async function outage(
  { note, wait }: FaultContext,
  { server, outages }: NonNullable<FaultContext['storage']>,
  forMs: number,
): Promise<void> {
  note({ killed: 'object storage', for_ms: forMs });
  const killedAt = Date.now();
  try {
    await server.kill();
    await wait(forMs);
  } finally {
    const revivedAt = Date.now();
    await server.start();
    outages.push({ killedAt, revivedAt, answersAt: Date.now() });
    note({ answers_again: 'object storage' });
  }
}
