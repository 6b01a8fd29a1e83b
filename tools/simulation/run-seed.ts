/** Runs one seed from its draw to its judgement. */
import type { Invariant, Violation } from './invariants.ts';
import { createJudge } from './judge.ts';
import type { Weather } from './network.ts';
import { startProcess } from './processes.ts';
import { soundRules, type Rules } from './rules.ts';
import { createWorld } from './world.ts';

/** Far beyond what a healthy seed takes. */
const maxSteps = 60_000;
const maxVirtualMs = 400_000;
const restLookMs = 500;
/** What is on its way shows within this. */
const looksAtRest = 5;

export type SeedResult = {
  seed: number;
  violation: Violation | null;
  /** Equal for equal histories. */
  hash: string;
  steps: number;
  virtualMs: number;
  happenings: number;
  trace: (count: number) => string[];
};

/** `weather`: worse than what the seed has drawn. */
export type SeedOptions = { rules?: Partial<Rules>; weather?: Partial<Weather>; blindTo?: Invariant[] };

export async function runSeed(seed: number, options: SeedOptions = {}): Promise<SeedResult> {
  const world = createWorld(seed, {
    rules: { ...soundRules, ...options.rules },
    weather: options.weather ?? {},
    start: startProcess,
  });
  const { time, history, plan } = world;
  const [settings] = plan.settings;
  const limits = { retries: settings?.retryLimit ?? 0, crashes: settings?.crashLimit ?? 0 };
  const judge = createJudge({ history, now: time.now }, { limits, blindTo: options.blindTo ?? [] });
  let restful = 0;
  const look = (): void => {
    restful = world.isAtRest() ? restful + 1 : 0;
    time.after(restLookMs, null, look);
  };
  time.after(restLookMs, null, look);
  world.begin();

  await time.run(
    () => judge.violation() !== null || restful >= looksAtRest || time.steps() > maxSteps || time.now() > maxVirtualMs,
  );
  if (judge.violation() === null) {
    if (restful >= looksAtRest) judge.judgeEnd(world);
    else judge.report('no-rest', `after ${time.steps()} steps and ${Math.round(time.now() / 1_000)} s of virtual time`);
  }
  time.end();
  return {
    seed,
    violation: judge.violation(),
    hash: history.hash(),
    steps: time.steps(),
    virtualMs: time.now(),
    happenings: history.length(),
    trace: history.trace,
  };
}
