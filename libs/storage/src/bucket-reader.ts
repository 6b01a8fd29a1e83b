/**
 * Reads the bucket for people who wait: nobody waits longer than said, and a bucket that fails is left alone until a look at it, not
 * a person's request, has shown that it works again.
 */
import { circuitBreaker, CircuitState, ConsecutiveBreaker, handleWhen } from 'cockatiel';
import {
  createLoop,
  Gauge,
  systemClock,
  type Clock,
  type Component,
  type Logger,
  type Metrics,
} from '@omnizap/runtime';
import type { BlobKind } from './blob-kind.ts';
import type { ObjectStore } from './object-store.ts';
import { explainStorageError, isServiceFailure } from './storage-problem.ts';

/** Reads that fail in a row before the bucket is left alone; one, where only looks at it tell. */
const failuresToOpen = { proxy: 5, redirect: 1 };
/**
 * Between two looks: while it fails, and, where clients are sent to it, always. An address handed out longer than this and
 * `probeTimeoutMs` before a bucket fails is the last that is wrong.
 */
export const probeIntervalMs = 2_000;
export const probeTimeoutMs = 1_000;

export type BucketReader = Component & {
  /** Whether the bucket worked when it was used last. */
  isUsable(): boolean;
  /** Whether one more read would begin at once: waiting for a connection of ours must not count as slowness of the bucket. */
  hasRoom(): boolean;
  /** Somebody was sent to this object: the next look is at it as well. */
  wasHandedOut(content: Content): void;
  /** @throws AppError `object-corrupt`; whatever the service or the network says, `TimeoutError` after `timeoutMs` included */
  read(kind: BlobKind, sha256: string, sizeBytes: number, timeoutMs: number): Promise<Buffer>;
};

type Options = {
  /** Whether anybody is delivered from the bucket: while nobody is, it is not asked for anything. */
  isInUse: () => boolean;
  /** A look at an object that somebody was sent to found none. */
  onMissing: (content: Content) => Promise<void>;
};

type Content = { kind: BlobKind; sha256: string };

/** Fewer than there are connections: uploads of this process need some, too. */
const maxReads = 48;

export function createBucketReader(
  deps: { objects: ObjectStore; log: Logger; metrics: Metrics; clock?: Clock },
  { isInUse, onMissing }: Options,
): BucketReader {
  const { objects, log, clock = systemClock } = deps;
  const breaker = circuitBreaker(handleWhen(isServiceFailure), {
    breaker: new ConsecutiveBreaker(failuresToOpen[objects.mode]),
    // Looks come at their interval; each of them may be the one that closes it again.
    halfOpenAfter: probeIntervalMs / 2,
  });
  let reads = 0;
  let handedOut: Content | undefined;
  const isUsable = (): boolean => breaker.state === CircuitState.Closed;
  const usable = new Gauge({
    name: 'omnizap_object_storage_usable',
    help: '1 while the bucket works as far as this process knows, 0 while bytes come from local disk instead.',
    registers: [deps.metrics.registry],
  });
  usable.set(1);
  breaker.onStateChange((state) => usable.set(state === CircuitState.Closed ? 1 : 0));
  breaker.onBreak((reason) => {
    const { code, text, remedy } = explainStorageError('error' in reason ? reason.error : new Error('isolated'));
    log.warn({ problem: code }, `object storage is left alone: ${text} ${remedy}`);
  });
  breaker.onReset(() => log.info('object storage works again'));

  const loop = createLoop({
    name: 'object storage',
    intervalMs: () => probeIntervalMs,
    log,
    clock,
    async pass() {
      if (isUsable() && (objects.mode !== 'redirect' || !isInUse())) return false;
      // What is wrong has been said when it began.
      const missing = await breaker.execute(look).catch(() => undefined);
      if (missing) await onMissing(missing);
      return false;
    },
  });

  /** A bucket may be there, and empty, or not for us to read. Returns what is not there although somebody was sent to it. */
  async function look(): Promise<Content | undefined> {
    await objects.probe(probeTimeoutMs);
    const content = handedOut;
    if (!content) return undefined;
    handedOut = undefined;
    const found = await objects.head(content.kind, content.sha256, AbortSignal.timeout(probeTimeoutMs));
    return found === null ? content : undefined;
  }

  return {
    name: 'object storage',
    start: loop.start,
    async stop() {
      await loop.stop();
      objects.close();
    },
    isUsable,
    hasRoom: () => reads < maxReads,
    wasHandedOut: (content) => (handedOut = content),
    async read(kind, sha256, sizeBytes, timeoutMs) {
      reads += 1;
      try {
        return await breaker.execute(() => objects.read(kind, sha256, sizeBytes, { timeoutMs }));
      } finally {
        reads -= 1;
      }
    },
  };
}
