/** One way to say that a file is broken, and one translation of what sharp and Buffer throw about hostile bytes. */

import { AppError } from '@omnizap/runtime';

const outOfBoundsCodes = new Set<unknown>(['ERR_OUT_OF_RANGE', 'ERR_BUFFER_OUT_OF_BOUNDS']);

/** `detail` completes the sentence "The image cannot be read: ...". */
export function corruptImage(detail: string, cause?: unknown): AppError {
  return new AppError(
    'image-corrupt',
    `The image cannot be read: ${detail}. Export it again and upload the new file.`,
    {
      cause,
      details: { reason: detail },
    },
  );
}

/**
 * Runs a container parser. A length field that points outside the file makes Buffer throw a RangeError: the parsers
 * rely on that instead of checking every read, so it must become `image-corrupt` here.
 */
export function parseBounded<Result>(format: string, parse: () => Result): Result {
  try {
    return parse();
  } catch (error) {
    // By code, because the class differs between the realms of a test runner.
    if (outOfBoundsCodes.has((error as { code?: unknown } | null)?.code))
      throw corruptImage(`the ${format} file ends inside a block`, error);
    throw error;
  }
}

/** Turns an error of sharp into ours; an AppError passes unchanged. */
export function asImageError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (message.includes('exceeds pixel limit')) {
    return new AppError('image-too-many-pixels', 'The image has more pixels than its header admits, and too many.', {
      cause: error,
    });
  }
  return corruptImage(message.split('\n')[0] ?? 'unknown decoder error', error);
}
