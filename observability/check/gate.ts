/** One gate of `npm run observability:check`, and how it runs the tools of others. */
import { execFile } from 'node:child_process';

/** `findings` is empty when the gate passed; tools/check/run-gates.ts runs it. */
export type ObservabilityGate = { name: string; run: (signal: AbortSignal) => Promise<{ findings: string[] }> };

/** Where promtool and amtool are. */
export type MonitoringTools = { promtool: string; amtool: string };

/** What the program said when it failed, nothing when it ended with 0. */
export function findingsOf(
  program: string,
  args: readonly string[],
  { cwd, signal }: { cwd: string; signal: AbortSignal },
): Promise<string[]> {
  return new Promise((resolve) => {
    execFile(program, args, { cwd, signal, maxBuffer: 16 * 1_024 * 1_024 }, (error, stdout, stderr) => {
      resolve(error === null ? [] : [`${stdout}${stderr}`.trim() || error.message]);
    });
  });
}
