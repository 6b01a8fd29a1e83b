/** What `npm run loadtest:stickers` was asked for, every problem with a word on what is possible. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import path from 'node:path';
import { backlogFloor, httpFloor, loadTestFloor } from '../../observability/slo.ts';
import { shortestComparisonSeconds } from './bootstrap.ts';

/** Open: requests come at a rate, whatever the answers. Closed: so many clients, each asks again when it was answered. */
export type LoadModel =
  { kind: 'open'; ratePerSecond: number; arrivals: Arrivals } | { kind: 'closed'; concurrency: number };
export type Arrivals = 'random' | 'even';

export type LoadOptions = {
  baseUrl: string;
  model: LoadModel;
  durationSeconds: number;
  warmupSeconds: number;
  timeoutMs: number;
  sloMs: number;
  /** Asked for in turn instead of what is found in the catalogue; null = the catalogue. */
  paths: string[] | null;
  hasWrites: boolean;
  seed: number;
  workers: number;
  /** Of all workers together. */
  connections: number;
  /** 0 = the queues are not waited for. */
  recoverySeconds: number;
  isKnee: boolean;
  kneeP99Ms: number;
  kneeStepSeconds: number;
  out: string | null;
  compare: string | null;
  isForeignHostAllowed: boolean;
};

export const limits = {
  duration: [5, 3_600],
  warmup: [0, 600],
  rate: [1, 100_000],
  concurrency: [1, 10_000],
  timeout: [1_000, 600_000],
  slo: [1, 600_000],
  workers: [1, 64],
  connections: [1, 10_000],
  recovery: [0, 3_600],
  kneeStep: [5, 120],
  seed: [0, 2 ** 31 - 1],
} as const;
export const defaults = {
  durationSeconds: 30,
  warmupSeconds: 5,
  timeoutMs: 12_000,
  concurrency: 20,
  connections: 512,
  kneeP99Ms: 100,
};
const defaultSeed = 1;
const defaultKneeStepSeconds = 10;
/** Where the search for the knee begins unless `--rate` says otherwise. */
const defaultKneeRate = 50;
const mostPaths = 200;

/** Where the fleet is, when it is not said. */
export type Surroundings = { baseUrl: string; sloTargetMs: number | undefined };

/** Null: only the help is asked for. @throws Error with a line for the user */
export function parseLoadOptions(args: string[], surroundings: Surroundings): LoadOptions | null {
  const { values } = parseArgs({
    args,
    options: {
      'base-url': { type: 'string', default: surroundings.baseUrl },
      'duration-seconds': { type: 'string' },
      'warmup-seconds': { type: 'string' },
      concurrency: { type: 'string' },
      rate: { type: 'string' },
      arrivals: { type: 'string' },
      'slo-ms': { type: 'string', default: String(surroundings.sloTargetMs ?? httpFloor.p95Ms) },
      'timeout-ms': { type: 'string', default: String(defaults.timeoutMs) },
      paths: { type: 'string' },
      mix: { type: 'string' },
      seed: { type: 'string', default: String(defaultSeed) },
      workers: { type: 'string' },
      connections: { type: 'string' },
      'recovery-seconds': { type: 'string', default: String(backlogFloor.recoverySeconds) },
      'find-knee': { type: 'boolean', default: false },
      'knee-p99-ms': { type: 'string' },
      'knee-step-seconds': { type: 'string' },
      out: { type: 'string' },
      compare: { type: 'string' },
      'i-own-this-host': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return null;
  const isKnee = values['find-knee'];
  refuseConflicts(values);
  const { arrivals = 'random', mix = values['i-own-this-host'] ? 'reads' : 'mixed' } = values;
  if (arrivals !== 'random' && arrivals !== 'even') throw new Error('--arrivals must be random or even');
  if (mix !== 'reads' && mix !== 'mixed') throw new Error('--mix must be reads or mixed');
  const rate = values.rate ?? (isKnee ? String(defaultKneeRate) : undefined);
  const concurrency = number('--concurrency', values.concurrency ?? String(defaults.concurrency), limits.concurrency);
  const model: LoadModel =
    rate === undefined
      ? { kind: 'closed', concurrency }
      : { kind: 'open', ratePerSecond: number('--rate', rate, limits.rate, 'any'), arrivals };
  const durationSeconds = number(
    '--duration-seconds',
    values['duration-seconds'] ?? String(defaults.durationSeconds),
    limits.duration,
  );
  if (values.compare !== undefined && durationSeconds < shortestComparisonSeconds)
    throw new Error(
      `--compare needs runs of --duration-seconds ${shortestComparisonSeconds} or more: in shorter ones chance cannot be told from a change`,
    );
  const workers = values.workers ?? String(availableParallelism() >= 4 ? 2 : 1);
  return {
    baseUrl: parseBaseUrl(values['base-url']),
    model,
    durationSeconds,
    warmupSeconds: number(
      '--warmup-seconds',
      values['warmup-seconds'] ?? String(defaults.warmupSeconds),
      limits.warmup,
    ),
    timeoutMs: number('--timeout-ms', values['timeout-ms'], limits.timeout),
    sloMs: number('--slo-ms', values['slo-ms'], limits.slo),
    paths: values.paths === undefined ? null : parsePaths(values.paths),
    hasWrites: mix === 'mixed' && values.paths === undefined,
    seed: number('--seed', values.seed, limits.seed),
    workers: Math.min(number('--workers', workers, limits.workers), model.kind === 'closed' ? concurrency : Infinity),
    connections: number('--connections', values.connections ?? String(defaults.connections), limits.connections),
    recoverySeconds: number('--recovery-seconds', values['recovery-seconds'], limits.recovery),
    isKnee,
    kneeP99Ms: number('--knee-p99-ms', values['knee-p99-ms'] ?? String(defaults.kneeP99Ms), limits.slo),
    kneeStepSeconds: number(
      '--knee-step-seconds',
      values['knee-step-seconds'] ?? String(defaultKneeStepSeconds),
      limits.kneeStep,
    ),
    out: values.out ?? null,
    compare: values.compare ?? null,
    isForeignHostAllowed: values['i-own-this-host'],
  };
}

/** An option that would change nothing is a misunderstanding. @throws Error with a line for the user */
function refuseConflicts(values: Record<string, string | boolean | undefined>): void {
  const has = (name: string): boolean => values[name] !== undefined && values[name] !== false;
  const refuse = (name: string, isWrong: boolean, why: string): void => {
    if (has(name) && isWrong) throw new Error(why);
  };
  const isKnee = has('find-knee');
  const isOpen = isKnee || has('rate');
  refuse('rate', has('concurrency'), '--rate is the open model and --concurrency the closed one: give one of them');
  refuse(
    'find-knee',
    has('concurrency'),
    '--find-knee raises the rate of the open model: leave --concurrency out, or give --rate to begin with',
  );
  refuse('compare', isKnee, '--compare is for two runs of the same rate: leave --find-knee out');
  refuse('mix', has('paths'), '--paths are asked for instead of a mix: leave --mix out');
  for (const name of ['arrivals', 'connections'])
    refuse(name, !isOpen, `--${name} is of the open model: give --rate, or leave it out`);
  refuse('duration-seconds', isKnee, '--find-knee takes steps of --knee-step-seconds: leave --duration-seconds out');
  refuse('warmup-seconds', isKnee, '--find-knee warms each step up by itself: leave --warmup-seconds out');
  for (const name of ['knee-p99-ms', 'knee-step-seconds'])
    refuse(name, !isKnee, `--${name} is of the search for the knee: give --find-knee, or leave it out`);
  const { out, compare } = values;
  if (typeof out === 'string' && typeof compare === 'string')
    refuse(
      'out',
      [out, htmlFileOf(out)].some((file) => path.resolve(file) === path.resolve(compare)),
      `--out would overwrite the baseline ${compare}: give it another name`,
    );
}

/** Where the report for people goes when the one for programs goes to `file`. */
export const htmlFileOf = (file: string): string => `${file.replace(/\.json$/, '')}.html`;

function number(name: string, text: string, [least, most]: readonly [number, number], kind?: 'any'): number {
  const pattern = kind === 'any' ? /^\d+(\.\d+)?$/ : /^\d+$/;
  const value = pattern.test(text) ? Number(text) : NaN;
  if (!(value >= least && value <= most))
    throw new Error(
      `${name} must be a ${kind === 'any' ? 'number' : 'whole number'} from ${least} to ${most}, not "${text}"`,
    );
  return value;
}

/** Without the slash at its end. A path in it goes before every path that is asked for. */
function parseBaseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.search !== '' || url.hash !== '')
    throw new Error(`--base-url must be an http(s) address such as http://127.0.0.1:9102, not "${text}"`);
  if (url.username !== '' || url.password !== '') throw new Error('--base-url must not hold a password');
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

function parsePaths(csv: string): string[] {
  const paths = csv.split(',').map((path) => path.trim());
  const wrong = paths.find((path) => !/^\/(?!\/)[\x21-\x7e]*$/.test(path));
  if (wrong !== undefined)
    throw new Error(`--paths must be paths that begin with one slash, with commas between them; "${wrong}" is none`);
  if (paths.length > mostPaths) throw new Error(`--paths takes at most ${mostPaths} paths`);
  return [...new Set(paths)];
}

export const regressionRatio = loadTestFloor.worseThanBaselineRatio;
