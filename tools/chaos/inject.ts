/** Puts in the faults of a run at their times, and tells afterwards when what was disturbed by them. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Fault, FaultContext } from './faults/fault.ts';
import type { Life } from './fleet.ts';
import { createRandom } from './random.ts';
import type { Injection } from './schedule.ts';
import type { Span } from './starvation.ts';

export type InjectionReport = {
  fault: string;
  reach: Fault['reach'];
  startedAt: number;
  endedAt: number;
  /** Why it could not be put in. */
  problem?: string;
};

/** Resolves when the last fault is over. A fault that cannot be put in (its database is down by another one) is noted, no more. */
export async function injectAll(
  options: { seed: number; durationSeconds: number; signal: AbortSignal; say: (line: string) => void },
  plan: Injection[],
  context: FaultContext,
): Promise<InjectionReport[]> {
  const { seed, durationSeconds, signal, say } = options;
  const startedAt = performance.now();
  const reports = plan.map(async ({ fault, atMs, stream }): Promise<InjectionReport> => {
    await delay(atMs - (performance.now() - startedAt), undefined, { signal });
    const report: InjectionReport = { fault: fault.name, reach: fault.reach, startedAt: Date.now(), endedAt: 0 };
    const note = (detail: object): void => context.note({ fault: fault.name, ...detail });
    note({ phase: 'start' });
    try {
      await fault.inject({ ...context, note }, createRandom(seed, stream));
    } catch (error) {
      if (signal.aborted) throw error;
      report.problem = error instanceof Error ? error.message : String(error);
      say(`${fault.name} could not be put in: ${report.problem}`);
    }
    report.endedAt = Date.now();
    note({ phase: 'end', ...(report.problem === undefined ? {} : { problem: report.problem }) });
    return report;
  });
  const done = await Promise.all(reports);
  const leftMs = durationSeconds * 1_000 - (performance.now() - startedAt);
  if (leftMs > 0) await delay(leftMs, undefined, { signal });
  return done;
}

/** Faults that take from processes what they cannot do without. */
export function failsBelow({ reach }: InjectionReport): boolean {
  return reach === 'database' || reach === 'network';
}

export function freezes({ fault }: InjectionReport): boolean {
  return fault === 'pause' || fault === 'clock-jump';
}

/** Whether one of these faults was at work then, or until a moment before. */
export function disturbedBy(
  injections: InjectionReport[],
  isOne: (injection: InjectionReport) => boolean,
  longerMs = 0,
): (fromMs: number, toMs: number) => boolean {
  const faults = injections.filter(isOne);
  return (fromMs, toMs) => faults.some(({ startedAt, endedAt }) => startedAt <= toMs && endedAt + longerMs >= fromMs);
}

/** When others cannot be expected to take over work: also from the end of a process that leads, or may lead. */
export function excusesOf(injections: InjectionReport[], lives: Life[]): Span[] {
  const failing = injections
    .filter((injection) => failsBelow(injection) || injection.fault === 'pause')
    .map(({ startedAt, endedAt }) => ({ fromMs: startedAt, toMs: endedAt }));
  const leaderless = lives
    .filter(({ slot, asked }) => slot.startsWith('maintenance') && asked === 'kill')
    .flatMap(({ askedAt }) => (askedAt === null ? [] : [{ fromMs: askedAt, toMs: askedAt }]));
  return [...failing, ...leaderless];
}
