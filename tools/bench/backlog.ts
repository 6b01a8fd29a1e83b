/** A backlog of classifications beside readers, for benches of who works it and of what readers notice. */
import { drawBenchStickers } from './bench-drawings.ts';
import type { BenchFleet } from './bench-fleet.ts';
import type { BenchContext } from './bench-types.ts';
import { createOwnerSession } from './owner-session.ts';
import { pathsToRead } from './readers.ts';

const drawings = 400;
/** The same drawings by so many owners: each is a sticker of its own. */
const owners = 4;
export const backlogSize = drawings * owners;
const readPacks = 30;
const stickersInPack = 3;

/** A quiet fleet with packs to read, their paths, and what uploads a backlog. */
export async function startWithReaders({ startFleet, say }: Pick<BenchContext, 'startFleet' | 'say'>) {
  say(`drawing ${drawings} stickers`);
  const stickers = await drawBenchStickers('webp', drawings, 1);
  const fleet = await startFleet();
  const session = await createOwnerSession(fleet);
  const shown = stickers.slice(0, readPacks * stickersInPack);
  for (const packKey of await session.addAll(shown, stickersInPack)) await session.publish(packKey);
  await fleet.whenQuiet();
  return {
    fleet,
    paths: await pathsToRead(fleet),
    async uploadBacklog(): Promise<void> {
      for (let owner = 0; owner < owners; owner += 1) await (await createOwnerSession(fleet)).addAll(stickers);
    },
  };
}

/** Of the queues whose name is like that (`classification.stable`, `%.inline`). */
export async function waitingTasks(fleet: BenchFleet, queues: string): Promise<number> {
  const [row] = await fleet.query<{ count: number }>(
    `SELECT COUNT(*)::int AS count FROM pgboss.job WHERE name LIKE $1 AND state IN ('created', 'retry')`,
    [queues],
  );
  return row?.count ?? 0;
}
