/**
 * Jest's order of test files: the slowest first, so that no worker ends minutes after the others. Jest's own order goes by what the
 * last run on this machine took, and a fresh clone has had none.
 */
import path from 'node:path';
import { slowTests } from './slow-tests.ts';

/** Of files that are not listed, by what they start. */
const kinds = ['.e2e.test.ts', '.db.test.ts', '.test.ts'];

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
  return [...tests].toSorted((a, b) => rankOf(a) - rankOf(b) || (a.path < b.path ? -1 : 1));
}

function rankOf({ path: file, context }: TestFile): number {
  const name = path.relative(context.config.rootDir, file).replaceAll(path.sep, '/');
  const place = slowTests.indexOf(name);
  return place === -1 ? slowTests.length + kinds.findIndex((end) => name.endsWith(end)) : place;
}
