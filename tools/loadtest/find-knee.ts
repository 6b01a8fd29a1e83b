/**
 * The highest rate that is still answered well: doubled until it is not, then halved in between. A step that fails is tried once more
 * before it is believed, as other programs on the machine are the likelier reason the shorter a step is.
 */

export type KneeStep = {
  rate: number;
  achieved: number;
  p99Ms: number;
  isGood: boolean;
  /** Why not. */
  reason: 'latency' | 'rate' | 'errors' | 'refused' | 'generator' | null;
};

export type Knee = {
  /** Null: even the lowest rate was too much. */
  rate: number | null;
  /** What was in the way of more; `bounds`: the search ended first. */
  limitedBy: NonNullable<KneeStep['reason']> | 'bounds';
  steps: KneeStep[];
};

export const kneeBounds = { mostSteps: 20, highestRate: 50_000, lowestRate: 1, precision: 0.1 } as const;

/** `measure` is asked one rate after the other. Ends early, with what is known, when it answers null. */
export async function findKnee(firstRate: number, measure: (rate: number) => Promise<KneeStep | null>): Promise<Knee> {
  const { mostSteps, highestRate, lowestRate, precision } = kneeBounds;
  const steps: KneeStep[] = [];
  let isOver = false;
  const isGood = async (rate: number): Promise<boolean> => {
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const step = steps.length < mostSteps ? await measure(rate) : null;
      isOver ||= step === null;
      if (step === null) return false;
      steps.push(step);
      if (step.isGood) return true;
      // Far off is no accident.
      if (step.reason === 'rate' && step.achieved < rate / 2) return false;
    }
    return false;
  };

  let good: number | null = null;
  let bad: number | null = null;
  let rate = firstRate;
  while (
    !isOver &&
    (bad === null || (good === null && rate >= lowestRate) || (good !== null && bad / good > 1 + precision))
  ) {
    const passed = await isGood(rate);
    if (isOver) break;
    if (passed) good = rate;
    else bad = rate;
    if (good !== null && good >= highestRate) break;
    if (bad === null) rate = Math.min(highestRate, rate * 2);
    else if (good === null) rate = bad / 2;
    // The geometric middle: rates are compared by their ratio.
    else rate = Math.sqrt(good * bad);
    rate = rate >= 20 ? Math.round(rate) : rate;
    if (good !== null && bad !== null && (rate <= good || rate >= bad)) break;
  }
  const above = steps
    .filter((step) => !step.isGood && (good === null || step.rate > good))
    .toSorted((a, b) => a.rate - b.rate)[0];
  return { rate: good, limitedBy: above?.reason ?? 'bounds', steps };
}
