import { existsSync } from 'node:fs';
import path from 'node:path';

/** Git keeps no empty folders, and jest refuses roots that are missing. */
const roots = ['apps', 'libs', 'db', 'tools', 'observability', 'deploy', 'runbooks'].filter((folder) =>
  existsSync(path.join(import.meta.dirname, folder)),
);

/** Real processes and databases make some tests slow: the limit catches a hang, it measures nothing. */
export default {
  testEnvironment: 'node',
  // Only our own folders are searched: a pattern that excludes others would also match a checkout below a folder of that name.
  roots: roots.map((folder) => `<rootDir>/${folder}`),
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2024' },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  testMatch: ['**/*.test.ts'],
  // A cache in the shared temporary folder belongs to whoever ran first.
  cacheDirectory: '<rootDir>/.cache/jest',
  // The suites wait for processes and databases more than they compute: one worker would leave a core idle. A third one makes some
  // wait so long that they fail on a busy machine.
  maxWorkers: 2,
  testSequencer: '<rootDir>/tools/test-order/longest-first.ts',
  testTimeout: 60_000,
};
