/** What the user asked for. */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { allFaults } from './faults/all-faults.ts';
import type { Fault } from './faults/fault.ts';
import type { DatabaseKind } from './sql.ts';
import type { StorageMode } from './storage/storage-server.ts';

const largestSeed = 2 ** 31 - 1;

export type ChaosOptions = {
  seed: number;
  runs: number;
  database: DatabaseKind;
  faults: Fault[];
  durationSeconds: number;
  requestsPerSecond: number;
  /** Of each flag-flip; drawn when not given. */
  flips: number | undefined;
  storageMode: StorageMode;
  isJson: boolean;
  isKept: boolean;
  isList: boolean;
  isHelp: boolean;
};

/** @throws Error with a line for the user */
export function parseChaosOptions(args: string[]): ChaosOptions {
  const { values } = parseArgs({
    args,
    options: {
      seed: { type: 'string' },
      runs: { type: 'string', default: '1' },
      database: { type: 'string', default: 'postgres' },
      faults: { type: 'string', default: 'all' },
      duration: { type: 'string', default: '20' },
      rate: { type: 'string', default: '20' },
      flips: { type: 'string' },
      'storage-mode': { type: 'string', default: 'proxy' },
      json: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      'list-faults': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.database !== 'postgres' && values.database !== 'mariadb')
    throw new Error(`--database must be postgres or mariadb, not "${values.database}"`);
  const mode = values['storage-mode'];
  if (mode !== 'proxy' && mode !== 'redirect')
    throw new Error(`--storage-mode must be proxy or redirect, not "${mode}"`);
  return {
    seed: values.seed === undefined ? randomInt(1, largestSeed) : wholeNumber('seed', values.seed, 0, largestSeed),
    runs: wholeNumber('runs', values.runs, 1, 100_000),
    database: values.database,
    faults: chooseFaults(values.faults),
    durationSeconds: wholeNumber('duration', values.duration, 8, 86_400),
    requestsPerSecond: wholeNumber('rate', values.rate, 1, 1_000),
    flips: values.flips === undefined ? undefined : wholeNumber('flips', values.flips, 1, 100_000),
    storageMode: mode,
    isJson: values.json,
    isKept: values.keep,
    isList: values['list-faults'],
    isHelp: values.help,
  };
}

/** The command that does one of the runs again. */
export function replayCommand(options: ChaosOptions, seed: number): string {
  const faults =
    options.faults.length === allFaults.length ? 'all' : options.faults.map(({ name }) => name).join(',') || 'none';
  return `npm run chaos -- --seed ${seed} --database ${options.database} --faults ${faults} --duration ${options.durationSeconds} --rate ${options.requestsPerSecond}${options.flips === undefined ? '' : ` --flips ${options.flips}`}${options.storageMode === 'proxy' ? '' : ` --storage-mode ${options.storageMode}`}`;
}

function wholeNumber(name: string, text: string, low: number, high: number): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isInteger(value) || value < low || value > high)
    throw new Error(`--${name} must be a whole number from ${low} to ${high}, not "${text}"`);
  return value;
}

function chooseFaults(text: string): Fault[] {
  if (text === 'all') return allFaults;
  if (text === 'none') return [];
  const names = text.split(',').map((name) => name.trim());
  return [...new Set(names)].map((name) => {
    const fault = allFaults.find((entry) => entry.name === name);
    if (!fault) throw new Error(`There is no fault "${name}"; see --list-faults`);
    return fault;
  });
}
