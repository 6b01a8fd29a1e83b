/**
 * How long it takes until every live process goes by a flip: each says on its /metrics what it knows of a flag and since when. Asked
 * once the contract's 2 s are over, so that the asking does not hasten or slow what it measures.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Fleet } from '../fleet.ts';
import { effective, flagNames } from './flip.ts';
import type { FlagName, Flip } from './flip.ts';

const firstLookMs = 2_100;
const lookIntervalMs = 400;
/** One that does not know it by then is a finding. */
const longestUnawareMs = 15_000;
const answerTimeoutMs = 2_000;

/** Of one process and one flag. */
export type Awareness = {
  flag: FlagName;
  slot: string;
  askedAt: number;
  /** Infinity: not within 15 s. */ seconds: number;
};

export type FlipWatch = {
  seen: Awareness[];
  /** Flags of flips that were overtaken by the next before everybody could be asked. */
  overtaken: () => number;
  expect: (flip: Flip) => void;
  /** Resolves when nothing is waited for any more. */
  settled: () => Promise<void>;
  stop: () => void;
};

type Expected = { flag: FlagName; flip: Flip; waiting: Map<string, number> };

export function watchFlips(fleet: Fleet): FlipWatch {
  const seen: Awareness[] = [];
  let expected: Expected[] = [];
  let overtaken = 0;
  let isStopped = false;
  let running: Promise<void> | undefined;

  /** Processes that were ready and awake, by slot. */
  const awake = (): Map<string, number> =>
    new Map(
      fleet.slots.flatMap((slot) => {
        const process = slot.current();
        return process?.ownUrl && !process.isPaused && process.asked === null
          ? [[slot.name, process.pid] as const]
          : [];
      }),
    );

  async function look(): Promise<void> {
    const now = awake();
    const due = expected.filter(({ flip }) => Date.now() - flip.askedAt >= firstLookMs);
    const names = new Set(due.flatMap(({ waiting }) => [...waiting.keys()]));
    for (const slot of fleet.slots.filter(({ name }) => names.has(name))) {
      const process = slot.current();
      const known = process?.ownUrl && now.has(slot.name) ? await readFlags(process.ownUrl) : null;
      for (const { flag, flip, waiting } of due) {
        const pid = waiting.get(slot.name);
        if (pid === undefined) continue;
        // Another process by now: it has read the flags when it began.
        if (slot.current()?.pid !== pid) waiting.delete(slot.name);
        const value = known?.get(flag);
        if (value?.percent === effective(flip.state)) {
          waiting.delete(slot.name);
          // An earlier time: it never had another value, because the flip before came and went between two looks.
          if (value.changedAtMs >= flip.askedAt)
            seen.push({
              flag,
              slot: slot.name,
              askedAt: flip.askedAt,
              seconds: (value.changedAtMs - flip.askedAt) / 1_000,
            });
        } else if (Date.now() - flip.askedAt > longestUnawareMs && waiting.delete(slot.name))
          seen.push({ flag, slot: slot.name, askedAt: flip.askedAt, seconds: Infinity });
      }
    }
    expected = expected.filter(({ waiting }) => waiting.size > 0);
  }

  async function run(): Promise<void> {
    while (!isStopped && expected.length > 0) {
      await look();
      if (expected.length > 0) await delay(lookIntervalMs);
    }
    running = undefined;
  }

  return {
    seen,
    overtaken: () => overtaken,
    expect(flip) {
      for (const flag of flip.flags) {
        const before = expected.filter((entry) => entry.flag === flag && entry.waiting.size > 0);
        overtaken += before.length;
        expected = expected.filter((entry) => !before.includes(entry));
        expected.push({ flag, flip, waiting: awake() });
      }
      running ??= run();
    },
    settled: async () => await running,
    stop: () => void (isStopped = true),
  };
}

/** Null without an answer. */
async function readFlags(url: string): Promise<Map<FlagName, { percent: number; changedAtMs: number }> | null> {
  try {
    const answer = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(answerTimeoutMs) });
    const text = await answer.text();
    const value = (metric: string, flag: string): number =>
      Number(text.match(new RegExp(`^${metric}\\{[^}]*flag="${flag}"[^}]*\\} (\\S+)`, 'm'))?.[1]);
    return new Map(
      flagNames.map((flag) => [
        flag,
        {
          percent: value('omnizap_feature_flag_rollout_percent', flag),
          changedAtMs: value('omnizap_feature_flag_changed_timestamp_seconds', flag) * 1_000,
        },
      ]),
    );
  } catch {
    return null;
  }
}
