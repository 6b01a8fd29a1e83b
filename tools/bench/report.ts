/** What a run says: the machine, and for every figure the median of its rounds, their range, and whether the target was reached. */
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import type { Measurement } from './bench-types.ts';
import { median } from './statistics.ts';

const gibibyte = 1_024 ** 3;

export type Machine = {
  cores: number;
  cpu: string;
  memory_gib: number;
  kernel: string;
  node: string;
  /** One-minute load average before the first bench: what else the machine was doing. */
  load_before: number;
};

export type Figure = Measurement & {
  /** One per round, in their order; `value` is their median. */
  rounds: number[];
  isReached: boolean | null;
};

export function describeMachine(): Machine {
  return {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    memory_gib: Number((totalmem() / gibibyte).toFixed(1)),
    kernel: release(),
    node: process.version,
    load_before: Number((loadavg()[0] ?? 0).toFixed(2)),
  };
}

/** Merges rounds by the measurements' names. */
export function summarise(rounds: Measurement[][]): Figure[] {
  return (rounds[0] ?? []).map((first) => {
    const values = rounds.flatMap((round) => round.filter(({ name }) => name === first.name).map(({ value }) => value));
    const value = median(values);
    return { ...first, value, rounds: values, isReached: isReached(value, first.target) };
  });
}

function isReached(value: number, target: Measurement['target']): boolean | null {
  if (target === undefined) return null;
  return 'atMost' in target ? value <= target.atMost : value >= target.atLeast;
}

export function printMachine(machine: Machine): string {
  return `${machine.cores} cores (${machine.cpu}), ${machine.memory_gib} GiB, Linux ${machine.kernel}, Node.js ${machine.node}, load average ${machine.load_before}`;
}

/** One line per figure. */
export function printFigures(figures: Figure[]): string {
  const width = Math.max(...figures.map(({ name }) => name.length));
  return figures
    .map(({ name, value, unit, rounds, target, isReached: reached }) => {
      const range = rounds.length > 1 ? `  (${short(Math.min(...rounds))} to ${short(Math.max(...rounds))})` : '';
      return `  ${name.padEnd(width)}  ${short(value).padStart(8)} ${unit.padEnd(4)}${printTarget(target, reached)}${range}`;
    })
    .join('\n');
}

function printTarget(target: Measurement['target'], reached: boolean | null): string {
  if (target === undefined) return '';
  const limit = 'atMost' in target ? `at most ${short(target.atMost)}` : `at least ${short(target.atLeast)}`;
  return `  ${reached === true ? 'reached' : 'NOT REACHED'}: ${limit}`;
}

/** Three significant digits below 100, whole numbers from there on. */
function short(value: number): string {
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)));
}
