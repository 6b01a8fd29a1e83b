/**
 * Runs gates a few at a time and prints each as it ends, its findings only when it failed. A gate that throws has failed:
 * a broken gate must never look like a passed one.
 */

/** `findings` is empty when the gate passed; `remark` is what a passing gate could not do. */
export type GateOutcome = { findings: string[]; remark?: string };

export type Gate = { name: string; run: (signal: AbortSignal) => Promise<GateOutcome> };

type Options = { gatesAtOnce: number; signal: AbortSignal; print: (line: string) => void };

/** Resolves to the names of the gates that passed and that failed, each list in the order in which they ended. */
export async function runGates(gates: Gate[], options: Options): Promise<{ passed: string[]; failed: string[] }> {
  const waiting = [...gates];
  const passed: string[] = [];
  const failed: string[] = [];
  const nameWidth = Math.max(0, ...gates.map(({ name }) => name.length));
  const startedAt = performance.now();

  async function work(): Promise<void> {
    for (let gate = waiting.shift(); gate !== undefined; gate = waiting.shift()) {
      const gateStartedAt = performance.now();
      const { findings, remark } = await outcomeOf(gate, options.signal);
      const isPassed = findings.length === 0;
      (isPassed ? passed : failed).push(gate.name);
      const note = remark === undefined ? '' : `  (${remark})`;
      options.print(
        `${isPassed ? 'ok    ' : 'FAILED'} ${gate.name.padEnd(nameWidth)} ${secondsSince(gateStartedAt)}${note}`,
      );
      for (const finding of findings) options.print(indent(finding));
    }
  }

  await Promise.all(Array.from({ length: options.gatesAtOnce }, work));
  const summary =
    failed.length === 0
      ? `all ${passed.length} gates passed`
      : `${failed.length} of ${gates.length} gates failed: ${failed.join(', ')}`;
  options.print(`${summary} in${secondsSince(startedAt)}`);
  return { passed, failed };
}

async function outcomeOf(gate: Gate, signal: AbortSignal): Promise<GateOutcome> {
  if (signal.aborted) return { findings: ['stopped before it ran'] };
  try {
    return await gate.run(signal);
  } catch (error) {
    if (signal.aborted) return { findings: ['stopped'] };
    return { findings: [error instanceof Error ? (error.stack ?? error.message) : String(error)] };
  }
}

function secondsSince(startedAt: number): string {
  return `${((performance.now() - startedAt) / 1000).toFixed(1).padStart(6)} s`;
}

function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '       ');
}
