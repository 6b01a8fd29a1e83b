/** Failures of single objects, in words; and when there are so many that the service itself cannot be worked with. */
import { AppError } from '@omnizap/runtime';
import { explainStorageError, isServiceFailure } from '@omnizap/storage';

const inRowToStop = 10;
const kept = 20;

export function createStorageFailures() {
  const list: { key: string; reason: string }[] = [];
  let count = 0;
  let inRow = 0;
  let stopped: string | null = null;

  return {
    /** The first of them. */
    list,
    count: () => count,
    /** Why nothing more should be tried; null: go on. */
    stopped: () => stopped,
    succeed(): void {
      inRow = 0;
    },
    note(key: string, error: unknown): void {
      count += 1;
      const reason = reasonOf(error);
      if (list.length < kept) list.push({ key, reason });
      const cause = error instanceof AppError && error.code === 'storage-failed' ? error.cause : error;
      inRow = isServiceFailure(cause) ? inRow + 1 : 0;
      if (inRow >= inRowToStop) stopped ??= `${inRowToStop} objects in a row failed. ${reason}`;
    },
  };
}

function reasonOf(error: unknown): string {
  if (error instanceof AppError && error.code === 'storage-failed') return error.message;
  // Of the disk: it names the file, and what it did not let us do.
  if (error instanceof Error && 'syscall' in error && 'path' in error) return error.message;
  const { text, remedy } = explainStorageError(error);
  return `${text} ${remedy}`;
}
