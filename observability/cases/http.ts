import { growing, latencies, phases, requests } from './alert-case.ts';
import type { CasesOf } from './alert-case.ts';

export const httpCases: CasesOf = {
  HttpLatencyCritical: {
    fires: [
      {
        title: 'answers of more than a second',
        series: latencies({ upToMs: 1_500, perStep: 60 }),
        at: '12m',
        notYetAt: '4m',
      },
    ],
    silent: [
      { title: 'answers of three quarters of a second', series: latencies({ upToMs: 750, perStep: 60 }), at: '30m' },
      { title: 'six slow answers a minute in a night', series: latencies({ upToMs: 1_500, perStep: 6 }), at: '30m' },
    ],
  },
  HttpLatencyHigh: {
    fires: [
      {
        title: 'answers of three quarters of a second',
        series: latencies({ upToMs: 750, perStep: 60 }),
        at: '15m',
        notYetAt: '9m',
      },
    ],
    silent: [
      { title: 'answers of a third of a second', series: latencies({ upToMs: 350, perStep: 60 }), at: '30m' },
      { title: 'six slow answers a minute in a night', series: latencies({ upToMs: 750, perStep: 6 }), at: '30m' },
    ],
  },
  HttpErrorsCritical: {
    fires: [
      {
        title: 'one of seven fails',
        series: requests({ '2xx': growing(85), '5xx': growing(15) }),
        at: '12m',
        notYetAt: '4m',
      },
    ],
    silent: [
      { title: 'one of twelve fails', series: requests({ '2xx': growing(92), '5xx': growing(8) }), at: '30m' },
      {
        title: 'clients ask for what is not there, or leave',
        series: requests({ '2xx': growing(50), '4xx': growing(50), aborted: growing(50) }),
        at: '30m',
      },
      { title: 'four a minute fail in a night', series: requests({ '2xx': growing(4), '5xx': growing(4) }), at: '30m' },
    ],
  },
  HttpErrorsHigh: {
    fires: [
      {
        title: 'one of twelve times out',
        series: requests({ '2xx': growing(92), timeout: growing(8) }),
        at: '15m',
        notYetAt: '9m',
      },
    ],
    silent: [
      { title: 'three of a hundred fail', series: requests({ '2xx': growing(97), '5xx': growing(3) }), at: '30m' },
      { title: 'four a minute fail in a night', series: requests({ '2xx': growing(4), '5xx': growing(4) }), at: '30m' },
    ],
  },
};

/** Of four minutes: a day and a week are long. */
const step = '4m' as const;
const day = 360;

export const throughputCases: CasesOf = {
  ThroughputSurge: {
    fires: [
      {
        title: 'two and a half times the requests of yesterday',
        series: requests({ '2xx': phases({ perStep: 1_440, steps: day }, { perStep: 3_600, steps: 15 }) }),
        step,
        at: '1456m',
        notYetAt: '1444m',
      },
    ],
    silent: [
      {
        title: 'half as many again as yesterday',
        series: requests({ '2xx': phases({ perStep: 1_440, steps: day }, { perStep: 2_160, steps: 15 }) }),
        step,
        at: '1472m',
      },
      {
        title: 'three times a quiet night, which is still little',
        series: requests({ '2xx': phases({ perStep: 240, steps: day }, { perStep: 720, steps: 15 }) }),
        step,
        at: '1472m',
      },
      {
        title: 'a Monday like the last one, after a quiet Sunday',
        series: requests({
          '2xx': phases(
            { perStep: 7_200, steps: day / 2 },
            { perStep: 2_880, steps: day * 6 + day / 2 },
            { perStep: 7_200, steps: 15 },
          ),
        }),
        step,
        at: '10100m',
      },
    ],
  },
  ThroughputDrop: {
    fires: [
      {
        title: 'two of five requests of yesterday',
        series: requests({ '2xx': phases({ perStep: 2_400, steps: day }, { perStep: 960, steps: 15 }) }),
        step,
        at: '1472m',
        notYetAt: '1452m',
      },
    ],
    silent: [
      {
        title: 'two thirds of yesterday',
        series: requests({ '2xx': phases({ perStep: 2_400, steps: day }, { perStep: 1_680, steps: 15 }) }),
        step,
        at: '1480m',
      },
      {
        title: 'nobody there in a night that had few yesterday',
        series: requests({ '2xx': phases({ perStep: 160, steps: day }, { perStep: 0, steps: 15 }) }),
        step,
        at: '1480m',
      },
    ],
  },
};
