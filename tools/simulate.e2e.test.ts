import { execFile } from 'node:child_process';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';

const tool = path.join(import.meta.dirname, 'simulate.ts');

function simulate(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [tool, ...args], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

describe('npm run simulate', () => {
  it('judges many seeds on several threads, and comes to the same histories as on one', async () => {
    const [one, two] = await Promise.all([
      simulate('--runs', '120', '--threads', '1', '--json'),
      simulate('--runs', '120', '--threads', '2', '--json'),
    ]);
    const hashOf = ({ stdout }: { stdout: string }): unknown =>
      (JSON.parse(stdout) as { history_sha256: unknown }).history_sha256;

    expect([one.code, two.code]).toEqual([0, 0]);
    expect(hashOf(one)).toEqual(hashOf(two));
  });

  it('shows the seed of a violation, the end of its history and how to repeat it, and fails', async () => {
    const { code, stdout } = await simulate('--mutant', 'mark-before-insert', '--runs', '3', '--trace', '20');

    expect(code).toBe(1);
    expect(stdout).toContain('Seed 1 violates "event-lost"');
    expect(stdout).toMatch(/marked +by=relay/);
    expect(stdout).toContain('--seed 1 --runs 1 --mutant mark-before-insert');
  });

  it('says what it does not understand', async () => {
    const answers = await Promise.all([simulate('--runs', 'many'), simulate('--mutant', 'none'), simulate('--wrong')]);

    expect(answers.map(({ code }) => code)).toEqual([2, 2, 2]);
    expect(answers[0]?.stderr).toContain('--runs must be a whole number');
    expect(answers[1]?.stderr).toContain('guard-removed');
  });
});
