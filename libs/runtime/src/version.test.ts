import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describeBuild } from './version.ts';

describe('the name of a build', () => {
  let folder: string;
  let checkout: string;
  const git = (...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@localhost', ...args], {
      cwd: checkout,
      encoding: 'utf8',
      env: { PATH: process.env.PATH ?? '', GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' },
    }).trim();
  const expected = (): string => `1.2.3+${git('rev-parse', 'HEAD').slice(0, 12)}`;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'omnizap-version-'));
    checkout = folder;
    git('init', '-q', '-b', 'some/branch');
    git('commit', '-q', '--allow-empty', '-m', 'one');
  });
  afterAll(async () => await rm(folder, { recursive: true, force: true }));

  it('has the commit of the branch, of packed references and of a detached head', () => {
    expect(describeBuild('1.2.3', checkout)).toBe(expected());

    git('pack-refs', '--all');
    expect(describeBuild('1.2.3', checkout)).toBe(expected());

    git('checkout', '-q', '--detach');
    expect(describeBuild('1.2.3', checkout)).toBe(expected());
  });

  it('has the commit of a worktree, which is not that of its main checkout', () => {
    git('worktree', 'add', '-q', '-b', 'canary', 'next');
    checkout = path.join(folder, 'next');
    git('commit', '-q', '--allow-empty', '-m', 'two');

    expect(describeBuild('1.2.3', checkout)).toBe(expected());
    expect(describeBuild('1.2.3', checkout)).not.toBe(describeBuild('1.2.3', folder));
  });

  it('is the version alone in a copy without git, also one inside of a checkout', () => {
    expect(describeBuild('1.2.3', path.join(folder, 'some', 'copy'))).toBe('1.2.3');
  });
});
