import { growing, phases, reads, requests } from './alert-case.ts';
import type { CasesOf, Series } from './alert-case.ts';

type Spent = { good: string; bad: string };

/** A budget is spent the same way whichever it is: `of` says how the good and the bad ones are counted. */
function fastCases(of: (spent: Spent) => Series, shares: { outage: number; lasting: number; bearable: number }) {
  const per = 1_000;
  const step = '2m' as const;
  return {
    fires: [
      {
        title: 'an outage of ten minutes after six good hours',
        series: of({
          good: phases({ perStep: per, steps: 175 }, { perStep: per * (1 - shares.outage), steps: 20 }),
          bad: phases({ perStep: 0, steps: 175 }, { perStep: per * shares.outage, steps: 20 }),
        }),
        at: '364m' as const,
        step,
      },
      {
        title: 'too many bad ones for an hour',
        series: of({ good: growing(per * (1 - shares.lasting), 120), bad: growing(per * shares.lasting, 120) }),
        at: '70m' as const,
        step,
        notYetAt: '2m' as const,
      },
    ],
    silent: [
      {
        title: 'what the objective can bear for hours',
        series: of({ good: growing(per * (1 - shares.bearable), 120), bad: growing(per * shares.bearable, 120) }),
        at: '70m' as const,
        step,
      },
      {
        title: 'one bad one of three in a quiet night',
        series: of({ good: '0x20 1x20 2x40', bad: '0x38 1x42' }),
        at: '42m' as const,
      },
      {
        title: 'an outage that has ended',
        series: of({
          good: phases({ perStep: per, steps: 30 }, { perStep: 0, steps: 5 }, { perStep: per, steps: 25 }),
          bad: phases({ perStep: 0, steps: 30 }, { perStep: per, steps: 5 }, { perStep: 0, steps: 25 }),
        }),
        at: '100m' as const,
        step,
      },
    ],
  };
}

/** In steps of half an hour: what takes days. */
function slowCases(of: (spent: Spent) => Series, shares: { day: number; lasting: number; bearable: number }) {
  const per = 10_000;
  const step = '30m' as const;
  return {
    fires: [
      {
        title: 'a day of few requests, many of them bad, after two busy days',
        series: of({
          good: phases({ perStep: per, steps: 96 }, { perStep: (per / 4) * (1 - shares.day), steps: 60 }),
          bad: phases({ perStep: 0, steps: 96 }, { perStep: (per / 4) * shares.day, steps: 60 }),
        }),
        at: '72h' as const,
        step,
      },
      {
        title: 'a leak of days',
        series: of({ good: growing(per * (1 - shares.lasting), 160), bad: growing(per * shares.lasting, 160) }),
        at: '72h' as const,
        step,
      },
      {
        title: 'the beginning of a leak',
        series: of({ good: growing(per * (1 - shares.lasting), 160), bad: growing(per * shares.lasting, 160) }),
        at: '60m' as const,
        step,
        notYetAt: '30m' as const,
      },
    ],
    silent: [
      {
        title: 'less than the budget for days',
        series: of({ good: growing(per * (1 - shares.bearable), 160), bad: growing(per * shares.bearable, 160) }),
        at: '72h' as const,
        step,
      },
      {
        title: 'two bad ones of three days with 300 requests',
        series: of({ good: growing(2, 160), bad: '0x60 1x76 2x20' }),
        at: '72h' as const,
        step,
      },
    ],
  };
}

const failing = ({ good, bad }: Spent): Series => requests({ '2xx': good, '5xx': bad });
const timingOut = ({ good, bad }: Spent): Series => requests({ '2xx': good, timeout: bad });
/** The count has both; slow ones are missing in the bucket. */
const slow = ({ good, bad }: Spent): Series => {
  const [quick, late] = [reads({ all: good, quick: good }), reads({ all: bad, quick: '0x200' })];
  return {
    ...quick,
    ...Object.fromEntries(
      Object.entries(late).map(([name, samples]) => [name.replace('catalog_api_public', 'catalog_web'), samples]),
    ),
  };
};

export const errorBudgetCases: CasesOf = {
  HttpErrorBudgetBurningFast: fastCases(failing, { outage: 0.5, lasting: 0.04, bearable: 0.025 }),
  HttpErrorBudgetBurningSlowly: slowCases(timingOut, { day: 0.02, lasting: 0.008, bearable: 0.004 }),
  HttpErrorDataMissing: {
    fires: [
      {
        title: 'counters that vanish while there is traffic',
        series: requests({ '2xx': growing(4, 75) }),
        step: '2m',
        at: '172m',
        notYetAt: '158m',
      },
      {
        title: 'counters that are still missing three hours later',
        series: requests({ '2xx': growing(4, 75) }),
        step: '2m',
        at: '330m',
      },
    ],
    silent: [
      {
        title: 'counters that vanish at a restart, in a quiet night',
        series: requests({ '2xx': growing(1.2, 75) }),
        step: '2m',
        at: '172m',
      },
      {
        title: 'counters that come back after an hour',
        series: requests({ '2xx': `${growing(4, 75)} _x30 ${growing(4, 20)}` }),
        step: '2m',
        at: '230m',
      },
      { title: 'counters that stay', series: requests({ '2xx': growing(4, 100) }), step: '2m', at: '172m' },
    ],
  },
  HttpReadBudgetBurningFast: fastCases(slow, { outage: 1, lasting: 0.08, bearable: 0.05 }),
  HttpReadBudgetBurningSlowly: slowCases(slow, { day: 0.04, lasting: 0.015, bearable: 0.008 }),
  HttpReadDataMissing: {
    fires: [
      {
        title: 'histograms that vanish while there is traffic',
        series: reads({ all: growing(4, 75), quick: growing(4, 75) }),
        step: '2m',
        at: '172m',
        notYetAt: '158m',
      },
      {
        title: 'histograms that are still missing three hours later',
        series: reads({ all: growing(4, 75), quick: growing(4, 75) }),
        step: '2m',
        at: '330m',
      },
    ],
    silent: [
      {
        title: 'histograms that vanish at a restart, in a quiet night',
        series: reads({ all: growing(1.2, 75), quick: growing(1.2, 75) }),
        step: '2m',
        at: '172m',
      },
      {
        title: 'histograms that come back after an hour',
        series: reads({
          all: `${growing(4, 75)} _x30 ${growing(4, 20)}`,
          quick: `${growing(4, 75)} _x30 ${growing(4, 20)}`,
        }),
        step: '2m',
        at: '230m',
      },
      {
        title: 'histograms that stay',
        series: reads({ all: growing(4, 100), quick: growing(4, 100) }),
        step: '2m',
        at: '172m',
      },
    ],
  },
};
