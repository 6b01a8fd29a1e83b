import { describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { sortLongestFirst } from './longest-first.ts';
import { slowTests } from './slow-tests.ts';

const rootDir = path.resolve(import.meta.dirname, '../..');
const order = (...names: string[]): string[] =>
  sortLongestFirst(names.map((name) => ({ path: path.join(rootDir, name), context: { config: { rootDir } } }))).map(
    ({ path: file }) => path.relative(rootDir, file),
  );

describe('the order of test files', () => {
  it('starts what takes longest first, and what starts processes before what only computes', () => {
    const names = [
      'libs/a/src/b.test.ts',
      'libs/a/src/a.test.ts',
      'libs/a/src/a.db.test.ts',
      'apps/api/test/paging.e2e.test.ts',
      'apps/a/test/a.e2e.test.ts',
      'runbooks/test/rollout.e2e.test.ts',
    ];

    expect(order(...names)).toEqual([
      'runbooks/test/rollout.e2e.test.ts',
      'apps/api/test/paging.e2e.test.ts',
      'apps/a/test/a.e2e.test.ts',
      'libs/a/src/a.db.test.ts',
      'libs/a/src/a.test.ts',
      'libs/a/src/b.test.ts',
    ]);
  });

  it('knows no file that is not there', () => {
    expect(slowTests.filter((name) => !existsSync(path.join(rootDir, name)))).toEqual([]);
  });
});
