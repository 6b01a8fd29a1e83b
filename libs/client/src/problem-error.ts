import type { Problem } from './generated/operations.ts';

/** The API refused, and says why (RFC 9457). What is between it and the client may answer without such words: `code` is `unknown` then. */
export class ProblemError extends Error {
  readonly status: number;
  /** One of runbooks/errors.md. */
  readonly code: string;
  readonly problem: Problem;
  readonly headers: Headers;

  constructor(problem: Problem, headers: Headers) {
    super(`${problem.status} ${problem.code}: ${problem.detail}`);
    this.name = 'ProblemError';
    this.status = problem.status;
    this.code = problem.code;
    this.problem = problem;
    this.headers = headers;
  }
}
