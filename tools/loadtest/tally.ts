/** What happened to the requests of one run: counts that can be added, and histograms that can be merged. */
import { createLatencyHistogram, type LatencyHistogram } from './latency-histogram.ts';

export const mostSamples = 10;

export type Outcome =
  | { kind: 'answered'; status: number }
  /** `error`: timeout, connect, reset, or what the client calls it. */
  | { kind: 'failed'; error: string; message: string }
  /** Interrupted: it has taken at least so long. */
  | { kind: 'open' };

/** Waited for in vain, for as long as it says. */
const waitedFor = ['timeout', 'unsent'];

/** What a visitor can use: 2xx and 3xx. */
export const isUseful = (outcome: Outcome): boolean => outcome.kind === 'answered' && outcome.status < 400;

/** Refusals and failures come sooner than what was asked for: their time would make a bad run look quick. They count by number. */
function hasLatency(outcome: Outcome): boolean {
  const isWithout =
    (outcome.kind === 'answered' && !isUseful(outcome)) ||
    (outcome.kind === 'failed' && !waitedFor.includes(outcome.error));
  return !isWithout;
}

export type ErrorSample = { at: string; path: string; kind: string; message: string };

export type GroupTally = { requests: number; errors: number; refused: number; latency: LatencyHistogram };
export type SliceTally = {
  due: number;
  /** Answered with 2xx or 3xx within the slice, whenever they were due. */
  ended: number;
  errors: number;
  refused: number;
  latency: LatencyHistogram;
};

export type Tally = {
  requests: number;
  success: number;
  /** 4xx: the request was wrong or too much, which says nothing against the server. */
  refused: number;
  errors: number;
  byStatus: Record<string, number>;
  byError: Record<string, number>;
  samples: ErrorSample[];
  /** From the moment at which the request was due; of 2xx, 3xx and timeouts. */
  latency: LatencyHistogram;
  /** From the moment at which it was handed to a connection: what a closed loop would have seen. */
  fromSend: LatencyHistogram;
  groups: GroupTally[];
  slices: SliceTally[];
  /** Handed over late because the generator itself was busy. */
  late: number;
  /** Never handed to a connection: none was free in time, or too many were open. */
  unsent: number;
  bytes: number;
};

/** A tally as a worker sends it. */
export type EncodedTally = Omit<Tally, 'latency' | 'fromSend' | 'groups' | 'slices'> & {
  latency: string;
  fromSend: string;
  groups: (Omit<GroupTally, 'latency'> & { latency: string })[];
  slices: (Omit<SliceTally, 'latency'> & { latency: string })[];
};

export function createTally(groups: number, slices: number): Tally {
  return {
    requests: 0,
    success: 0,
    refused: 0,
    errors: 0,
    byStatus: {},
    byError: {},
    samples: [],
    latency: createLatencyHistogram(),
    fromSend: createLatencyHistogram(),
    groups: Array.from({ length: groups }, () => ({
      requests: 0,
      errors: 0,
      refused: 0,
      latency: createLatencyHistogram(),
    })),
    slices: Array.from({ length: slices }, () => ({
      due: 0,
      ended: 0,
      errors: 0,
      refused: 0,
      latency: createLatencyHistogram(2),
    })),
    late: 0,
    unsent: 0,
    bytes: 0,
  };
}

export type EndedRequest = {
  group: number;
  path: string;
  slice: number;
  latencyMs: number;
  /** Null: never handed to a connection. */
  fromSendMs: number | null;
  isLate: boolean;
  at: Date;
};

export function addToTally(tally: Tally, ended: EndedRequest, outcome: Outcome): void {
  const { group: groupIndex, path, slice: sliceIndex, latencyMs, fromSendMs, isLate, at } = ended;
  const [group, slice] = [tally.groups[groupIndex], tally.slices[sliceIndex]];
  const isTimed = hasLatency(outcome);
  tally.requests += 1;
  if (isTimed) for (const part of [tally, group, slice]) part?.latency.record(latencyMs);
  if (group) group.requests += 1;
  if (slice) slice.due += 1;
  if (fromSendMs === null) tally.unsent += 1;
  else if (isTimed) tally.fromSend.record(fromSendMs);
  if (isLate) tally.late += 1;
  const status =
    outcome.kind === 'answered' ? String(outcome.status) : outcome.kind === 'failed' ? outcome.error : 'open';
  tally.byStatus[status] = (tally.byStatus[status] ?? 0) + 1;
  const isRefused = outcome.kind === 'answered' && outcome.status >= 400 && outcome.status < 500;
  const isError = outcome.kind === 'failed' || (outcome.kind === 'answered' && outcome.status >= 500);
  if (isRefused) for (const counted of [tally, group, slice]) if (counted) counted.refused += 1;
  if (outcome.kind === 'answered' && !isRefused && !isError) tally.success += 1;
  if (!isError) return;
  for (const counted of [tally, group, slice]) if (counted) counted.errors += 1;
  tally.byError[status] = (tally.byError[status] ?? 0) + 1;
  if (tally.samples.length < mostSamples) {
    const message = outcome.kind === 'failed' ? outcome.message : `answered with ${status}`;
    tally.samples.push({ at: at.toISOString(), path, kind: status, message: message.slice(0, 300) });
  }
}

export function encodeTally(tally: Tally): EncodedTally {
  return {
    ...tally,
    latency: tally.latency.encode(),
    fromSend: tally.fromSend.encode(),
    groups: tally.groups.map((group) => ({ ...group, latency: group.latency.encode() })),
    slices: tally.slices.map((slice) => ({ ...slice, latency: slice.latency.encode() })),
  };
}

/** The sum of what the workers counted. @throws nothing: of no tallies it is an empty one */
export function mergeTallies(tallies: EncodedTally[], groups: number, slices: number): Tally {
  const sum = createTally(groups, slices);
  for (const one of tallies) {
    for (const key of ['requests', 'success', 'refused', 'errors', 'late', 'unsent', 'bytes'] as const)
      sum[key] += one[key];
    for (const key of ['byStatus', 'byError'] as const)
      for (const [name, count] of Object.entries(one[key])) sum[key][name] = (sum[key][name] ?? 0) + count;
    sum.samples.push(...one.samples);
    sum.latency.addEncoded(one.latency);
    sum.fromSend.addEncoded(one.fromSend);
    for (const [index, group] of one.groups.entries()) {
      const into = sum.groups[index];
      if (!into) continue;
      for (const key of ['requests', 'errors', 'refused'] as const) into[key] += group[key];
      into.latency.addEncoded(group.latency);
    }
    for (const [index, slice] of one.slices.entries()) {
      const into = sum.slices[index];
      if (!into) continue;
      for (const key of ['due', 'ended', 'errors', 'refused'] as const) into[key] += slice[key];
      into.latency.addEncoded(slice.latency);
    }
  }
  sum.samples = sum.samples.toSorted((a, b) => (a.at < b.at ? -1 : 1)).slice(0, mostSamples);
  return sum;
}
