/** Asks one process of the fleet over HTTP how it is, as a load balancer would. */
import { z } from 'zod';
import type { Probe } from './release-findings.ts';

const answerTimeoutMs = 4_000;

const readinessSchema = z.object({ failing: z.array(z.object({ check: z.string(), reason: z.string() })) });

/** Never rejects: whoever cannot be asked is not alive, and the reason says why. */
export async function probeProcess(url: string): Promise<Probe> {
  try {
    const alive = await ask(`${url}/healthz`);
    await alive.body?.cancel();
    if (!alive.ok) return { isAlive: false, reason: `/healthz answers ${alive.status}` };
    const ready = await ask(`${url}/readyz`);
    const { failing } = readinessSchema.parse(await ready.json());
    return { isAlive: true, failing: failing.map(({ check, reason }) => `${check} (${reason})`) };
  } catch (error) {
    return { isAlive: false, reason: describe(error) };
  }
}

async function ask(url: string): Promise<Response> {
  return await fetch(url, { signal: AbortSignal.timeout(answerTimeoutMs), redirect: 'error' });
}

function describe(error: unknown): string {
  if (error instanceof z.ZodError || error instanceof SyntaxError) return '/readyz answers something else';
  if (error instanceof DOMException) return `no answer within ${answerTimeoutMs / 1_000} s`;
  const cause = (error as { cause?: { code?: unknown } }).cause;
  return typeof cause?.code === 'string' ? cause.code : String(error);
}
