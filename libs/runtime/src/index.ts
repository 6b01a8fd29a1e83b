export { AppError, errorRegistry, isAppError } from './errors.ts';
export type { ErrorCode, FieldProblem } from './errors.ts';
