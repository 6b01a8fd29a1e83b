/**
 * Whether every task has somebody who works it, at every moment of the run and whatever the flags say; and whether nobody works
 * what is not his. Seen from outside: a queue has a worker when something is claimed from it.
 */
import type { JobChange } from '../final-tables.ts';
import { bucketOf, possiblePercents } from '../flags/flip.ts';
import type { FlagName, Flip } from '../flags/flip.ts';
import type { Heard } from '../flags/flip-watch.ts';
import type { Rescue } from '../rescue.ts';
import { overlapMs } from '../starvation.ts';
import type { Span } from '../starvation.ts';
import { isWorked, laneOfQueue, subjectOf } from '../take-over.ts';
import { violation } from './violation.ts';
import type { Violation } from './violation.ts';

/** The contract's 15 s, and 5 s for a machine that has more to do than processors. */
const ownerBoundMs = 20_000;

/** A row leaves one queue and comes to another in one statement; its triggers fire one after the other. */
const moveMs = 1_000;
/** Between a process' word on its metrics and what it did at that moment. */
const knowledgeSlackMs = 100;

/** Times in which others cannot be expected to come: a database or a network failed, or who decides about lanes was hit. */
export type Leniency = {
  /** The clock starts anew at their end. */
  excuses: Span[];
  /** The clock stands still: there was no processor for the fleet. */
  starved: Span[];
};

type Wait = { fromMs: number; toMs: number; queue: string };

/**
 * A task has an owner as long as something is claimed from the queue that it waits in. One for which nothing was for more than 20 s
 * had none. A move to another queue alone is no sign of an owner.
 */
export function judgeOwners(jobs: JobChange[], rescues: Rescue[], leniency: Leniency, endedAt: number): Violation[] {
  const claims = claimsByQueue(jobs);
  const ofWaiting = [...Map.groupBy(jobs, ({ jobId }) => jobId)].flatMap(([jobId, changes]) => {
    const waits = waitsOf(changes, endedAt);
    const longestMs = longestOf(idleSpans(waits, claims), leniency);
    const [first] = changes;
    if (longestMs <= ownerBoundMs || !first) return [];
    const queues = [...new Set(waits.map(({ queue }) => queue))].join(', ');
    const what = `task ${jobId} (${subjectOf(first)}) waited ${(longestMs / 1_000).toFixed(1)} s in ${queues}, and nobody took anything from there`;
    return [violation('no_owner', 8, what)];
  });
  const ofDead = rescues.flatMap(({ jobId, queue, slot, atMs, seconds, changes }) => {
    const freedMs = changes.find((change) => change.jobId === jobId)?.atMs ?? atMs + seconds * 1_000;
    const longestMs = longestOf([{ fromMs: atMs, toMs: freedMs }], leniency);
    if (longestMs <= ownerBoundMs) return [];
    return [
      violation(
        'no_owner',
        8,
        `task ${jobId} (${queue}) stayed with ${slot}, which was dead, for ${(longestMs / 1_000).toFixed(1)} s`,
      ),
    ];
  });
  return [...ofWaiting, ...ofDead];
}

/** From each sign of an owner to the next. A wait that goes on in another queue goes on. */
function idleSpans(waits: Wait[], claims: Map<string, number[]>): Span[] {
  const spans: Span[] = [];
  let sinceMs = 0;
  let untilMs = -Infinity;
  for (const { fromMs, toMs, queue } of waits) {
    if (fromMs - untilMs > moveMs) sinceMs = fromMs;
    for (const atMs of claims.get(queue) ?? []) {
      if (atMs < fromMs || atMs > toMs) continue;
      spans.push({ fromMs: sinceMs, toMs: atMs });
      sinceMs = atMs;
    }
    spans.push({ fromMs: sinceMs, toMs });
    untilMs = toMs;
  }
  return spans;
}

function longestOf(spans: Span[], { excuses, starved }: Leniency): number {
  const left = spans.flatMap((span) => without(span, excuses));
  return left.reduce((longest, span) => Math.max(longest, span.toMs - span.fromMs - overlapMs(span, starved)), 0);
}

function claimsByQueue(jobs: JobChange[]): Map<string, number[]> {
  const claims = new Map<string, number[]>();
  for (const { queue, state, atMs } of jobs) {
    if (state !== 'active') continue;
    const list = claims.get(queue) ?? [];
    list.push(atMs);
    claims.set(queue, list);
  }
  return claims;
}

/** When it could have been claimed and was not. */
function waitsOf(changes: JobChange[], endedAt: number): Wait[] {
  return changes.flatMap(({ state, atMs, queue, startAfterMs }, index) => {
    if ((state !== 'created' && state !== 'retry') || laneOfQueue(queue) === '') return [];
    const fromMs = Math.max(atMs, startAfterMs ?? 0);
    const toMs = changes[index + 1]?.atMs ?? endedAt;
    return toMs > fromMs ? [{ fromMs, toMs, queue }] : [];
  });
}

/** What is left of a span, in pieces. */
function without(span: Span, excuses: Span[]): Span[] {
  let pieces = [span];
  for (const { fromMs, toMs } of excuses)
    pieces = pieces.flatMap((piece) =>
      toMs < piece.fromMs || fromMs > piece.toMs
        ? [piece]
        : [
            { fromMs: piece.fromMs, toMs: fromMs },
            { fromMs: toMs, toMs: piece.toMs },
          ].filter((part) => part.toMs > part.fromMs),
    );
  return pieces;
}

type LaneEvidence = {
  jobs: JobChange[];
  flips: Flip[];
  heard: Heard[];
  /** Whether an API process has certainly been seen alive by everybody. */
  isInlineServed: (atMs: number) => boolean;
  /** Whose connection that was. */
  slotOf: (port: number, atMs: number) => string | undefined;
};

/**
 * Nobody untried works more than its share, and what is switched off works nothing: a canary only what is its by some value of the
 * flags that it may still go by, dedicated workers nothing when they can only know that they are off, and nothing of the inline
 * poller's while that lives.
 */
export function judgeLanes({ jobs, flips, heard, isInlineServed, slotOf }: LaneEvidence): Violation[] {
  const knownAt = new Map(heard.map(({ slot, flag, askedAt, atMs }) => [`${slot} ${flag} ${askedAt}`, atMs]));
  return [...Map.groupBy(jobs, ({ jobId }) => jobId).values()].flatMap((changes) =>
    changes.flatMap((change) => {
      const lane = laneOfQueue(change.queue);
      if (change.actor !== 'product' || (lane !== 'canary' && lane !== 'stable') || !isWorked(change, changes))
        return [];
      const slot = change.port === null ? undefined : slotOf(change.port, change.atMs);
      const subject = subjectOf(change).split(' ')[1] ?? '';
      const highest = (flag: FlagName): number => {
        const isKnown = ({ askedAt }: Flip): boolean =>
          (knownAt.get(`${slot ?? ''} ${flag} ${askedAt}`) ?? Infinity) < change.atMs - knowledgeSlackMs;
        return possiblePercents(flips, flag, change.atMs, change.atMs, isKnown).high;
      };
      const dedicated = highest('enable_worker_dedicated_processes');
      const canary = highest('enable_worker_canary_release');
      const isDedicated = bucketOf('enable_worker_dedicated_processes', subject) <= dedicated;
      const isRight =
        lane === 'stable'
          ? dedicated > 0 && (isDedicated || !isInlineServed(change.atMs))
          : isDedicated && bucketOf('enable_worker_canary_release', subject) <= canary;
      if (isRight) return [];
      const what = `task ${change.jobId} (${subjectOf(change)}) was worked in ${change.queue} by ${slot ?? '?'}, which could not know of more than ${dedicated} % dedicated and ${canary} % canary`;
      return [violation('wrong_lane', 8, what)];
    }),
  );
}
