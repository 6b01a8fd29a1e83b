import { describe, expect, it } from '@jest/globals';

import { runGates } from './run-gates.ts';
import type { Gate } from './run-gates.ts';

const passing = (name: string): Gate => ({ name, run: () => Promise.resolve({ findings: [] }) });

async function run(gates: Gate[], gatesAtOnce = 2, signal = new AbortController().signal) {
  const lines: string[] = [];
  const outcome = await runGates(gates, { gatesAtOnce, signal, print: (line) => lines.push(line) });
  return { ...outcome, lines };
}

describe('runGates', () => {
  it('runs every gate even when one fails, and prints the findings of that one only', async () => {
    const { passed, failed, lines } = await run([
      { name: 'red', run: () => Promise.resolve({ findings: ['a.ts: wrong\nbecause'] }) },
      passing('green'),
    ]);
    expect({ passed, failed }).toEqual({ passed: ['green'], failed: ['red'] });
    expect(lines.filter((line) => line.startsWith(' '))).toEqual(['       a.ts: wrong\n       because']);
    expect(lines.at(-1)).toMatch(/^1 of 2 gates failed: red in/);
  });

  it('counts a gate that throws as failed', async () => {
    const { failed, lines } = await run([{ name: 'broken', run: () => Promise.reject(new Error('no such tool')) }]);
    expect(failed).toEqual(['broken']);
    expect(lines.join('\n')).toContain('no such tool');
  });

  it('never runs more gates at once than it may', async () => {
    let running = 0;
    let most = 0;
    const gates = Array.from({ length: 9 }, (_, index): Gate => ({
      name: `gate-${index}`,
      run: async () => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setImmediate(resolve));
        running--;
        return { findings: [] };
      },
    }));
    const { passed } = await run(gates, 3);
    expect(passed).toHaveLength(9);
    expect(most).toBe(3);
  });

  it('starts nothing more once it was told to stop, and does not call that a success', async () => {
    const stop = new AbortController();
    const first: Gate = {
      name: 'first',
      run: () => {
        stop.abort();
        return Promise.resolve({ findings: [] });
      },
    };
    const { passed, failed } = await run([first, passing('second')], 1, stop.signal);
    expect({ passed, failed }).toEqual({ passed: ['first'], failed: ['second'] });
  });

  it('shows what a passing gate could not do', async () => {
    const { lines } = await run([
      { name: 'compose', run: () => Promise.resolve({ findings: [], remark: 'no docker' }) },
    ]);
    expect(lines[0]).toMatch(/^ok .*compose.*\(no docker\)$/);
  });
});
