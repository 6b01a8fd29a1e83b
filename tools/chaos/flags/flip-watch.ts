/**
 * How long it takes until every live process goes by a flip: each says on its /metrics what it knows of a flag and since when. Asked
 * once a second, so that the asking does not hasten or slow what it measures.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Fleet } from '../fleet.ts';
import { effective, flagNames } from './flip.ts';
import type { FlagName, Flip } from './flip.ts';

const lookIntervalMs = 1_000;
/** A process that began while a flip was made may have read the flags before; it looks again in time. */
const startSlackMs = 1_000;
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

/** What is certain: that this process had heard of that flip then. */
export type Heard = { flag: FlagName; slot: string; askedAt: number; atMs: number };

export type FlipWatch = {
  /** Of flips that were followed until everybody had heard: of others only the fast ones would be known. */
  seen: Awareness[];
  heard: Heard[];
  /** From when on everybody had heard of a flip; Infinity when that is not known. */
  knownEverywhereAt: (flip: Flip, flag: FlagName) => number;
  /** Flags of flips that were overtaken by the next before everybody could be asked. */
  overtaken: () => number;
  expect: (flip: Flip) => void;
  /** Resolves when nothing is waited for any more. */
  settled: () => Promise<void>;
  stop: () => void;
};

type Expected = {
  flag: FlagName;
  flip: Flip;
  waiting: Map<string, number>;
  seen: Awareness[];
  isAnyoneFrozen: boolean;
};

export function watchFlips(fleet: Fleet): FlipWatch {
  const seen: Awareness[] = [];
  const heard: Heard[] = [];
  const knownAt = new Map<string, number>();
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
    const due = expected;
    const names = new Set(due.flatMap(({ waiting }) => [...waiting.keys()]));
    for (const slot of fleet.slots.filter(({ name }) => names.has(name))) {
      const process = slot.current();
      const known = process?.ownUrl && now.has(slot.name) ? await readFlags(process.ownUrl) : null;
      for (const { flag, flip, waiting, seen: own } of due) {
        const pid = waiting.get(slot.name);
        if (pid === undefined) continue;
        // Another process by now: it has read the flags when it began.
        if (slot.current()?.pid !== pid) waiting.delete(slot.name);
        const value = known?.get(flag);
        if (value?.percent === effective(flip.state)) {
          waiting.delete(slot.name);
          // An earlier time: it never had another value, because the flip before came and went between two looks.
          if (value.changedAtMs >= flip.askedAt) {
            heard.push({ flag, slot: slot.name, askedAt: flip.askedAt, atMs: value.changedAtMs });
            own.push({
              flag,
              slot: slot.name,
              askedAt: flip.askedAt,
              seconds: (value.changedAtMs - flip.askedAt) / 1_000,
            });
          }
        } else if (Date.now() - flip.askedAt > longestUnawareMs && waiting.delete(slot.name))
          own.push({ flag, slot: slot.name, askedAt: flip.askedAt, seconds: Infinity });
      }
    }
    for (const { flag, flip, waiting, seen: own, isAnyoneFrozen } of expected) {
      if (waiting.size > 0) continue;
      seen.push(...own);
      if (!isAnyoneFrozen && own.every(({ seconds }) => seconds < Infinity))
        knownAt.set(`${flag} ${flip.askedAt}`, Date.now() + startSlackMs);
    }
    expected = expected.filter(({ waiting }) => waiting.size > 0);
  }

  async function run(): Promise<void> {
    while (!isStopped && expected.length > 0) {
      await delay(lookIntervalMs);
      await look();
    }
    running = undefined;
  }

  return {
    seen,
    heard,
    knownEverywhereAt: ({ askedAt }, flag) => knownAt.get(`${flag} ${askedAt}`) ?? Infinity,
    overtaken: () => overtaken,
    expect(flip) {
      for (const flag of flip.flags) {
        const before = expected.filter((entry) => entry.flag === flag && entry.waiting.size > 0);
        overtaken += before.length;
        expected = expected.filter((entry) => !before.includes(entry));
        const isAnyoneFrozen = fleet.slots.some((slot) => slot.current()?.isPaused === true);
        expected.push({ flag, flip, waiting: awake(), seen: [], isAnyoneFrozen });
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
