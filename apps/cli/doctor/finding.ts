/** What a check says. Checks never throw past `runChecks`, never wait for each other, and each has its time. */
import { errorText } from '@omnizap/runtime';

/** `info`: to know, nothing to do. `warn`: still works, and will not for long, or works worse. `fail`: something does not work. */
export const severities = ['ok', 'info', 'warn', 'fail'] as const;
export type Severity = (typeof severities)[number];

export type Finding = {
  severity: Severity;
  /** One sentence; no secret in it. */
  text: string;
  /** Mends it, or is the first step; null when nothing has to be done. */
  command: string | null;
  /** Could not be looked at because of what another check reports. */
  isConsequence?: true;
};

/** `parts` fail, and take their time, each for itself. */
export type Check = { name: string; parts: (() => Promise<Finding[]>)[] };

/** `findings` holds one at least; the worst first. */
export type CheckResult = { check: string; findings: Finding[]; tookMs: number };

/** Thrown by what a check needs and cannot have; another check reports why. */
export class NotCheckedError extends Error {}

export const ok = (text: string): Finding => ({ severity: 'ok', text, command: null });
export const info = (text: string, command: string | null = null): Finding => ({ severity: 'info', text, command });
export const warn = (text: string, command: string): Finding => ({ severity: 'warn', text, command });
export const fail = (text: string, command: string): Finding => ({ severity: 'fail', text, command });

export function worstOf(findings: Pick<Finding, 'severity'>[]): Severity {
  return severities[Math.max(0, ...findings.map(({ severity }) => severities.indexOf(severity)))] ?? 'ok';
}

/** All at once; the results in the order of the checks. `limitMs`: for each part. */
export async function runChecks(checks: Check[], limitMs: number): Promise<CheckResult[]> {
  return await Promise.all(
    checks.map(async ({ name, parts }) => {
      const startedAt = performance.now();
      const tooLate = [notChecked(name, new Error(`no answer within ${limitMs / 1_000} s`))];
      const findings = await Promise.all(
        parts.map((run) =>
          within(
            run().catch((error: unknown) => [notChecked(name, error)]),
            limitMs,
            tooLate,
          ),
        ),
      );
      return {
        check: name,
        findings: withoutRepetitions(findings.flat()).toSorted(
          (a, b) => severities.indexOf(b.severity) - severities.indexOf(a.severity),
        ),
        tookMs: Math.round(performance.now() - startedAt),
      };
    }),
  );
}

/** Several parts may have missed the same. */
function withoutRepetitions(findings: Finding[]): Finding[] {
  return findings.filter(({ text }, index) => findings.findIndex((other) => other.text === text) === index);
}

/** Whatever `work` still does is its own business then. */
export async function within<T>(work: Promise<T>, limitMs: number, otherwise: T): Promise<T> {
  const { promise, resolve } = Promise.withResolvers<T>();
  const timer = setTimeout(resolve, limitMs, otherwise);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

function notChecked(name: string, error: unknown): Finding {
  if (error instanceof NotCheckedError)
    return { ...warn(`not checked: ${error.message}`, 'npm run ops -- doctor'), isConsequence: true };
  const reason = error instanceof Error ? error.message : errorText(error);
  const [line = ''] = reason.split('\n', 1);
  return warn(`not checked: ${line}`, `npm run ops -- doctor --only ${name}`);
}
