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
  /** @throws AppError `object-corrupt`; whatever the service or the network says, `TimeoutError` after `timeoutMs` included */
  read(kind: BlobKind, sha256: string, sizeBytes: number, timeoutMs: number): Promise<Buffer>;
};

type Options = {
  /** Whether anybody is delivered from the bucket: while nobody is, it is not asked for anything. */
  isInUse: () => boolean;
};

export function createBucketReader(
  deps: { objects: ObjectStore; log: Logger; metrics: Metrics; clock?: Clock },
  { isInUse }: Options,
): BucketReader {
  const { objects, log, clock = systemClock } = deps;
  const breaker = circuitBreaker(handleWhen(isServiceFailure), {
    breaker: new ConsecutiveBreaker(failuresToOpen[objects.mode]),
    // Looks come at their interval; each of them may be the one that closes it again.
    halfOpenAfter: probeIntervalMs / 2,
  });
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
      if (!isUsable() || (objects.mode === 'redirect' && isInUse()))
        // What is wrong has been said when it began.
        await breaker.execute(() => objects.probe(probeTimeoutMs)).catch(() => undefined);
      return false;
    },
  });

  return {
    name: 'object storage',
    start: loop.start,
    async stop() {
      await loop.stop();
      objects.close();
    },
    isUsable,
    read: (kind, sha256, sizeBytes, timeoutMs) =>
      breaker.execute(() => objects.read(kind, sha256, sizeBytes, { timeoutMs })),
  };
}
