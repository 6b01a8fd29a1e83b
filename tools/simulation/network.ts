/**
 * The way between a process and a store, one statement at a time, with what networks do to it: latency, a connection that breaks
 * before the statement arrives, an answer that is lost after it took effect, a statement that arrives long after its sender gave
 * up, and one that asked its question (its guard) some time before its effect shows.
 */
import type { Owner, VirtualTime } from './virtual-time.ts';

/** What a seed's network does, each as a probability per statement. */
export type Weather = {
  slowestMs: number;
  breaks: number;
  losesAnswers: number;
  delaysLong: number;
  tears: number;
};

/** Longer than a lease lasts: what arrives so late speaks for a holder that is none any more. */
const longestDelayMs = 16_000;
/** Where a process gives a statement up: the queue's `query_timeout`, the catalogue's silence limit. */
const answerTimeoutMs = 8_000;
const longestTearMs = 40;
const longTearMs = 9_000;

export type Network = ReturnType<typeof createNetwork>;
/** Sends one statement; resolves with its answer. `guard` is what it asks when it arrives; `effect` is told. */
export type Send = <T>(statement: string, effect: (isAllowed: boolean) => T, guard?: () => boolean) => Promise<T>;
/** Like `Send`, for a statement that answers when it can: it may have to wait for a lock. */
export type SendAndWait = <T>(
  statement: string,
  arrive: (answer: (value: T) => void, refuse: (error: Error) => void) => void,
  /** Called when it will never arrive. */
  getLost?: () => void,
) => Promise<T>;

export function createNetwork(time: VirtualTime, random: () => number, weather: Weather) {
  let isStormy = true;

  function latencyMs(): number {
    // Mostly near the lower end, as latencies are.
    const share = random();
    return Math.round(1 + (weather.slowestMs - 1) * share * share);
  }

  function strikes(probability: number): boolean {
    return isStormy && probability > 0 && random() < probability;
  }

  function connect(owner: Owner): { send: Send; sendAndWait: SendAndWait } {
    function exchange<T>(
      statement: string,
      arrive: (answer: (value: T) => void, refuse: (error: Error) => void) => void,
      getLost?: () => void,
    ): Promise<T> {
      return new Promise((resolve, reject) => {
        const fail = (reason: string): void => reject(new Error(`${statement}: ${reason}`));
        if (strikes(weather.breaks)) {
          getLost?.();
          time.after(latencyMs(), owner, () => fail('the connection broke'));
          return;
        }
        const isLate = strikes(weather.delaysLong);
        const isUnheard = strikes(weather.losesAnswers);
        const onWayMs = isLate ? Math.round(500 + random() * longestDelayMs) : latencyMs();
        const back = (work: () => void): void => void time.after(latencyMs(), owner, work);
        time.after(onWayMs, null, () =>
          arrive(
            (value) => back(() => (isUnheard ? fail('the answer was lost') : resolve(value))),
            (error) => back(() => reject(error)),
          ),
        );
        if (isLate) time.after(answerTimeoutMs, owner, () => fail('no answer in time'));
      });
    }

    return {
      send: (statement, effect, guard) =>
        exchange(statement, (answer, refuse) => {
          const isAllowed = guard === undefined || guard();
          const happen = (): void => {
            try {
              answer(effect(isAllowed));
            } catch (error) {
              refuse(error as Error);
            }
          };
          if (guard === undefined || !strikes(weather.tears)) return happen();
          time.after(Math.round(random() * (random() < 0.3 ? longTearMs : longestTearMs)), null, happen);
        }),
      sendAndWait: exchange,
    };
  }

  return {
    connect,
    latencyMs,
    strikes,
    calm(): void {
      isStormy = false;
    },
  };
}
