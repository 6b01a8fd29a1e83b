/**
 * Transactions on the catalogue in memory: row locks in the order in which they are asked for, writes that nobody sees before the
 * commit, and a rollback when the connection is gone. READ COMMITTED: whoever waited for a lock looks again when it has it.
 */
import type { Owner, VirtualTime } from './virtual-time.ts';
import type { Network, SendAndWait } from './network.ts';

export type RowLocks = Map<string, { holder: Transaction; waiting: (() => void)[] }>;

export type Transaction = {
  /** One statement; `work` runs when the locks are there, and says what to write at the commit. */
  statement: <T>(name: string, locks: string[], work: (write: (effect: () => void) => void) => T) => Promise<T>;
};

type Deps = {
  time: Pick<VirtualTime, 'after'>;
  network: Pick<Network, 'latencyMs'>;
  owner: Owner;
  sendAndWait: SendAndWait;
  locks: RowLocks;
};

/** How long a server takes to see that a process is gone. */
const goneAfterMs = 50;

export function createTransactions({ time, network, owner, sendAndWait, locks }: Deps) {
  function begin() {
    const held: string[] = [];
    const effects: (() => void)[] = [];
    let state: 'open' | 'committed' | 'rolled back' = 'open';
    /** Statements that are still on their way. */
    let underway = 0;
    let mustEnd = false;

    function end(next: 'committed' | 'rolled back'): void {
      if (state !== 'open') return;
      state = next;
      if (next === 'committed') for (const effect of effects) effect();
      for (const name of held) {
        const lock = locks.get(name);
        const successor = lock?.waiting.shift();
        if (successor) successor();
        else locks.delete(name);
      }
    }

    function acquire(names: string[], granted: () => void): void {
      const [name, ...rest] = names;
      if (name === undefined) return granted();
      const lock = locks.get(name);
      const take = (): void => {
        const taken = locks.get(name);
        if (taken) taken.holder = transaction;
        else locks.set(name, { holder: transaction, waiting: [] });
        held.push(name);
        // Given up while it waited: the lock goes on to the next one.
        if (state !== 'open') return release(name);
        acquire(rest, granted);
      };
      if (lock === undefined) take();
      else if (lock.holder === transaction) acquire(rest, granted);
      else lock.waiting.push(take);
    }

    function release(name: string): void {
      const successor = locks.get(name)?.waiting.shift();
      if (successor) successor();
      else locks.delete(name);
    }

    /** The client is gone or has given up: what was sent before still arrives first. */
    function giveUp(): void {
      mustEnd = true;
      if (underway === 0) end('rolled back');
    }

    function settle(): void {
      underway -= 1;
      if (mustEnd && underway === 0) end('rolled back');
    }

    function send<T>(name: string, needed: string[], work: () => T): Promise<T> {
      underway += 1;
      return sendAndWait<T>(
        name,
        (answer, refuse) => {
          const refuseAsOver = (): void => refuse(new Error(`${name}: the transaction is over`));
          if (state !== 'open') {
            refuseAsOver();
            return settle();
          }
          acquire(needed, () => {
            if (state === 'open') answer(work());
            else refuseAsOver();
            settle();
          });
        },
        settle,
      );
    }

    const transaction: Transaction = {
      statement: (name, needed, work) => send(name, needed, () => work((effect) => effects.push(effect))),
    };
    return {
      transaction,
      commit: () => send('commit', [], () => end('committed')),
      giveUp,
      isOpen: () => state === 'open',
    };
  }

  /** Transactions of this process that are open: its death ends them. */
  const open = new Set<ReturnType<typeof begin>>();

  return {
    async run<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
      const current = begin();
      open.add(current);
      try {
        const result = await work(current.transaction);
        await current.commit();
        open.delete(current);
        return result;
      } catch (error) {
        open.delete(current);
        time.after(network.latencyMs(), null, current.giveUp);
        throw error;
      }
    },

    /** To be called when the process has died. */
    abandon(): void {
      if (!owner.isDead) return;
      for (const current of open) time.after(goneAfterMs, null, current.giveUp);
      open.clear();
    },
  };
}
