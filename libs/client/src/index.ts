/** The door of @omnizap/client. */
export { createClient } from './create-client.ts';
export type { CallOptions, Client, ClientOptions } from './create-client.ts';
export { routes } from './generated/operations.ts';
export type * from './generated/operations.ts';
export { ProblemError } from './problem-error.ts';
