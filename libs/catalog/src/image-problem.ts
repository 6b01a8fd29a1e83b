import { AppError } from '@omnizap/runtime';

/** True when the picture itself is the fault: no retry helps, its owner must hear the reason. */
export function isImageProblem(error: unknown): error is AppError {
  return error instanceof AppError && error.code.startsWith('image-');
}
