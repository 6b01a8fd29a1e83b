/**
 * Jest's order of test files: the slowest first, so that no worker ends minutes after the others. Jest's own order goes by what the
 * last run on this machine took, and a fresh clone has had none.
 */
import path from 'node:path';
import { slowTests } from './slow-tests.ts';

/** For a file that is not listed, by what it starts. */
const usualSeconds = { e2e: 30, db: 10, unit: 1 };

type TestFile = { path: string; context: { config: { rootDir: string } } };

/** What jest calls, with `new`, for `testSequencer`. */
export default function createLongestFirst() {
  return {
    sort: <T extends TestFile>(tests: Iterable<T>): T[] => sortLongestFirst(tests),
    /** `--onlyFailures` runs everything: what failed is not kept. */
    allFailedTests: <T>(tests: T[]): T[] => tests,
    cacheResults(): void {},
  };
}

export function sortLongestFirst<T extends TestFile>(tests: Iterable<T>): T[] {
  return [...tests].toSorted((a, b) => secondsOf(b) - secondsOf(a) || (a.path < b.path ? -1 : 1));
}

function secondsOf({ path: file, context }: TestFile): number {
  const name = path.relative(context.config.rootDir, file).replaceAll(path.sep, '/');
  const kind = name.endsWith('.e2e.test.ts') ? 'e2e' : name.endsWith('.db.test.ts') ? 'db' : 'unit';
  return slowTests[name] ?? usualSeconds[kind];
}
