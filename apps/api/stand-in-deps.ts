/**
 * Makes the operations without a database, a port or a directory, for what only describes them: handlers alone use what they are
 * given, and none of these is ever called.
 */
import { loadConfig } from '@omnizap/runtime';
import type { ApiDeps } from './api-deps.ts';

/** Answers every property and every call with itself, and is the empty string where text is wanted. */
const standIn: unknown = new Proxy(() => undefined, {
  get: (_target, name): unknown => (name === Symbol.toPrimitive ? () => '' : name === 'then' ? undefined : standIn),
  apply: () => standIn,
});

/** Settings are real and at their defaults; everything else is a stand-in. */
export function createStandInDeps(): ApiDeps {
  const config = loadConfig({ DATABASE_URL: 'postgres://127.0.0.1/none' });
  return new Proxy({ config } as ApiDeps, {
    get: (target, name): unknown => (name in target ? target[name as keyof ApiDeps] : standIn),
  });
}
