/**
 * One at a time per owner, for what depends on all of an owner's packs: how many there are, which has room, which number comes
 * next. A row per owner is locked, so turns hold across processes; within a process they also wait in line without a connection
 * of the small pool, or one busy owner would keep everybody else from the database.
 */
import { AppError, isUniqueViolation, type Database, type Transaction } from '@omnizap/runtime';
import { countPacks, insertOwner, lockOwner } from './pack-owner-store.ts';

/** A new pack's key, or bytes that came in elsewhere at that moment: each try sees what won. */
const uniqueAttempts = 5;

export type OwnerTurns = ReturnType<typeof createOwnerTurns>;

export function createOwnerTurns(database: Database) {
  const tails = new Map<string, Promise<unknown>>();

  async function take<T>(ownerId: string, work: (trx: Transaction) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        let isThere = false;
        // It returns what the work returns and nothing around it: a request that loses its answer is answered from that.
        const done = await database.transaction(async (trx) => {
          isThere = await lockOwner(trx, ownerId);
          return isThere ? work(trx) : null;
        });
        if (isThere) return done as T;
        // Outside of the transaction: two that insert the same row and then lock it would wait for each other on MariaDB.
        await insertOwner(database.knex, ownerId);
      } catch (error) {
        if (!isUniqueViolation(error) || attempt >= uniqueAttempts) throw error;
      }
    }
  }

  return {
    /** Runs `work` in a transaction that holds the owner's row. It may run more than once, each time after a rollback. */
    run<T>(ownerId: string, work: (trx: Transaction) => Promise<T>): Promise<T> {
      const turn = (tails.get(ownerId) ?? Promise.resolve()).then(() => take(ownerId, work));
      const tail = turn
        .catch(() => undefined)
        .finally(() => {
          if (tails.get(ownerId) === tail) tails.delete(ownerId);
        });
      tails.set(ownerId, tail);
      return turn;
    },
  };
}

/**
 * Call it within the owner's turn. `maxPacks` 0: as many as they like.
 * @throws AppError `pack-limit-reached`
 */
export async function requireRoomForPack(trx: Transaction, ownerId: string, maxPacks: number): Promise<void> {
  if (maxPacks === 0 || (await countPacks(trx, ownerId)) < maxPacks) return;
  throw new AppError(
    'pack-limit-reached',
    `An owner can have ${maxPacks} packs and has them already: delete one that is no longer needed.`,
    { details: { max_packs: maxPacks } },
  );
}
