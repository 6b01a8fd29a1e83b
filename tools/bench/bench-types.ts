/** What a bench is: it prepares once and measures as often as asked; the runner reports medians. */
import type { BenchFleet } from './bench-fleet.ts';

export type Measurement = {
  /** The same in every round: rounds are merged by it. */
  name: string;
  unit: string;
  value: number;
  /** What the figure should be; without it the figure is merely reported. */
  target?: { atMost: number } | { atLeast: number };
};

/** One round. A bench that measures by 100 uploads does them in one round. */
export type Measure = (round: number) => Promise<Measurement[]>;

export type BenchContext = {
  /** A folder of this bench; removed afterwards. */
  folder: string;
  /** The checkout that is measured. */
  root: string;
  /** Starts a fleet with a database and an empty catalogue of its own; it is stopped after the bench. `settings` differ from the defaults. */
  startFleet: (settings?: Record<string, string>) => Promise<BenchFleet>;
  /** Registers what must happen after the bench, also when it fails or is interrupted. The last one registered runs first. */
  cleanUp: (work: () => Promise<void>) => void;
  say: (line: string) => void;
  signal: AbortSignal;
};

export type Bench = {
  name: string;
  /** One line for `--list`. */
  summary: string;
  /** Rounds when the command line names no number. */
  rounds: number;
  /** Left out of a run that names no bench. */
  isOnRequest?: boolean;
  prepare: (context: BenchContext) => Promise<Measure>;
};
