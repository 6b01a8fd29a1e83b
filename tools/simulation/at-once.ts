/** A network without time: each statement is carried out at once. For the conformance suites, which compare answers. */
import { createHistory } from './history.ts';
import { createTransactions, type RowLocks } from './memory-transactions.ts';
import type { Send, SendAndWait } from './network.ts';

export function createAtOnce() {
  let nowMs = 0;
  const now = (): number => nowMs;
  const send: Send = async (_statement, effect, guard) => effect(guard?.() ?? true);
  const sendAndWait: SendAndWait = (_statement, arrive) => new Promise((resolve, reject) => arrive(resolve, reject));
  const after = (_delayMs: number, _owner: unknown, work: () => void): (() => void) => {
    work();
    return () => undefined;
  };
  return {
    now,
    send,
    history: createHistory(now),
    transactionsOn: (locks: RowLocks) =>
      createTransactions({
        ...{ time: { after }, network: { latencyMs: () => 0 }, sendAndWait, locks },
        owner: { isDead: false, pausedUntilMs: 0 },
      }),
    advance(milliseconds: number): void {
      nowMs += milliseconds;
    },
  };
}
