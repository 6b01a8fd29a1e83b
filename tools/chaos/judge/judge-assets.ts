/**
 * Whether anybody who asked for a sticker's bytes noticed that the bucket was away, and whether the API left it alone and came back
 * to it by itself. The product's own times stand here once more, on purpose.
 */
import { percentile } from '../../bench/statistics.ts';
import { lastHandedOutMs, usedAgainMs } from '../storage/asset-figures.ts';
import type { AssetsSeen } from '../storage/asset-figures.ts';
import type { AssetRecord, Outage } from '../storage/asset-records.ts';
import { violation } from './violation.ts';
import type { Violation } from './violation.ts';

const invariant = 14;
/** Between two looks of the API at the bucket, and how long one look may take. */
const probeIntervalMs = 2_000;
const probeTimeoutMs = 1_000;
/** For a machine that has more to do than processors, and the way to the client. */
const marginMs = 2_000;
/** An address that is handed out later than this after a kill should not have been. */
const handOutBoundMs = probeIntervalMs + probeTimeoutMs + marginMs;
/** A look at the bucket that works, a request that goes there, and the same margin. */
const reentryBoundMs = probeIntervalMs + probeTimeoutMs + marginMs;
/** The target is 750 ms; what is only slow on a busy machine is printed and no finding. */
const slowBoundMs = 3_000;
/** Fewer say nothing about the slowest hundredth. */
const leastForP99 = 200;

export type AssetConditions = {
  /** Whether something else was broken then as well. */
  isElse: (fromMs: number, toMs: number) => boolean;
  /** Or there were no processors: no time is judged then, an answer is. */
  isDisturbed: (fromMs: number, toMs: number) => boolean;
  /** The flag was not at 100 % all the time. */
  isFlagMoved: boolean;
};

export function judgeAssets(seen: AssetsSeen, conditions: AssetConditions): Violation[] {
  const { isElse, isDisturbed } = conditions;
  const counted = seen.records.filter(
    ({ startedAt, endedAt, isExplained }) => !isExplained && !isElse(startedAt, endedAt),
  );
  return [
    ...judgeFailures(seen, counted, conditions),
    ...judgeAddresses(seen, conditions),
    ...judgeSpeed(counted.filter(({ startedAt, answeredAt }) => !isDisturbed(startedAt, answeredAt))),
    ...judgeBreakers(seen, conditions),
  ];
}

/** Where a client was sent to the bucket just before or after it died, its failure is the price of that mode. */
function judgeFailures(
  { mode, outages }: AssetsSeen,
  counted: AssetRecord[],
  { isDisturbed }: AssetConditions,
): Violation[] {
  return counted.flatMap((record) => {
    const { path, way, problem, startedAt, endedAt, handedOutAt, isLate } = record;
    if (problem === null || (mode === 'redirect' && isPrice(record, outages))) return [];
    if (isLate && isDisturbed(startedAt, endedAt)) return [];
    const where = handedOutAt === null ? 'here' : 'at the bucket';
    const what = `GET ${path} (${way}) at ${new Date(startedAt).toISOString()} failed ${where}: ${problem}`;
    return [violation('failed_asset', invariant, what)];
  });
}

function isPrice({ handedOutAt, endedAt }: AssetRecord, outages: Outage[]): boolean {
  return (
    handedOutAt !== null &&
    outages.some(
      ({ killedAt, answersAt }) => endedAt >= killedAt && handedOutAt <= Math.min(answersAt, killedAt + handOutBoundMs),
    )
  );
}

function judgeAddresses({ mode, records, outages }: AssetsSeen, { isDisturbed }: AssetConditions): Violation[] {
  return outages.flatMap((outage) => {
    const lastMs = lastHandedOutMs(records, outage);
    if (lastMs === null || isDisturbed(outage.killedAt, outage.revivedAt)) return [];
    const at = new Date(outage.killedAt).toISOString();
    if (mode === 'proxy')
      return [violation('failed_asset', invariant, `a client was sent to the bucket in mode proxy`)];
    return lastMs <= handOutBoundMs
      ? []
      : [
          violation(
            'late_redirect',
            invariant,
            `${(lastMs / 1_000).toFixed(1)} s after the kill at ${at} clients were still sent to the bucket`,
          ),
        ];
  });
}

/** Of what the API answers: how long the bucket takes for those who were sent there is its own affair. */
function judgeSpeed(counted: AssetRecord[]): Violation[] {
  if (counted.length < leastForP99) return [];
  const p99 = percentile(
    counted.map(({ startedAt, answeredAt }) => answeredAt - startedAt),
    99,
  );
  return p99 <= slowBoundMs
    ? []
    : [violation('slow_asset', invariant, `p99 of ${counted.length} answers was ${Math.round(p99)} ms`)];
}

function judgeBreakers({ looks, outages }: AssetsSeen, { isDisturbed, isFlagMoved }: AssetConditions): Violation[] {
  if (isFlagMoved) return [];
  return outages.flatMap((outage, index) => {
    const { killedAt, revivedAt, answersAt } = outage;
    const untilMs = outages[index + 1]?.killedAt ?? Infinity;
    const found: Violation[] = [];
    if (isDisturbed(killedAt, Math.min(untilMs, answersAt + reentryBoundMs))) return found;
    const at = new Date(killedAt).toISOString();
    const isLongEnough = revivedAt - killedAt > handOutBoundMs;
    for (const [pid, own] of Map.groupBy(looks, (look) => look.pid)) {
      const during = own.filter(({ atMs }) => atMs > killedAt && atMs < revivedAt);
      if (isLongEnough && during.length > 0 && during.every(({ isUsable }) => isUsable))
        found.push(
          violation('stuck_breaker', invariant, `API process ${pid} went on with the bucket after the kill at ${at}`),
        );
    }
    const againMs = usedAgainMs(looks, outage, untilMs);
    const lastLook = looks.findLast(({ atMs }) => atMs < untilMs)?.atMs ?? 0;
    if (lastLook - answersAt > reentryBoundMs && (againMs === null || againMs > reentryBoundMs))
      found.push(
        violation(
          'stuck_breaker',
          invariant,
          `the bucket was not used again within ${reentryBoundMs / 1_000} s of the end of the outage that began at ${at}`,
        ),
      );
    return found;
  });
}
