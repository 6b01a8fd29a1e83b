/** Asks object storage what its parent sends, one question after the other, and answers with what an operator would be told. */
import type { ObjectStorageSettings } from '../src/object-storage-settings.ts';
import { createObjectStore, type ObjectStore } from '../src/object-store.ts';
import { explainStorageError, isServiceFailure, type StorageProblem } from '../src/storage-problem.ts';

export type Asked = {
  ask: 'list' | 'head' | 'read';
  sha256: string;
  sizeBytes: number;
  settings: ObjectStorageSettings;
  /** By how much the clock of whoever asks is ahead. Default 0. */
  clockAheadMs?: number;
};
export type Told = { problem: StorageProblem | null; isServiceFailure: boolean };

const timeoutMs = 1_000;

async function carryOut(objects: ObjectStore, { ask, sha256, sizeBytes }: Asked): Promise<unknown> {
  if (ask === 'list') return objects.probeInWords(timeoutMs);
  if (ask === 'head') return objects.probe(timeoutMs);
  return objects.read('sticker', sha256, sizeBytes, { timeoutMs });
}

const { now } = Date;
process.on('message', (asked: Asked) => {
  void (async () => {
    const objects = createObjectStore(asked.settings, { attempts: 1 });
    Date.now = () => now() + (asked.clockAheadMs ?? 0);
    const told = await carryOut(objects, asked).then(
      (): Told => ({ problem: null, isServiceFailure: false }),
      (error: unknown): Told => ({ problem: explainStorageError(error), isServiceFailure: isServiceFailure(error) }),
    );
    Date.now = now;
    objects.close();
    process.send?.(told);
  })();
});
