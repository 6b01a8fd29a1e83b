/** Where panels turn yellow, orange and red: where an alert would fire, and nowhere else. */
import { alerts } from '../slo.ts';
import type { Severity } from '../slo.ts';

export type Limit = { value: number; fires: 'above' | 'below'; color: string };

const colors: Record<Severity, string> = { critical: 'red', high: 'orange', medium: 'yellow' };

/**
 * The limits of alerts, one a color; `factor` where the panel has another unit than the alert.
 * @throws Error when there is no such alert, or when it has no side to fire on
 */
export function limitsOf(names: readonly string[], factor = 1): Limit[] {
  return names.map((name) => {
    const alert = alerts.find((one) => one.name === name);
    if (alert === undefined) throw new Error(`slo.ts has no alert ${name} any more`);
    if (alert.fires === 'at') throw new Error(`${name} fires at ${alert.limit}: that is no limit to stay below`);
    return { value: alert.limit * factor, fires: alert.fires, color: colors[alert.severity] };
  });
}

/** Where "What the budget decides" of sticker-catalog-slo.md changes: a half, a quarter, nothing left. */
export const budgetLimits: readonly Limit[] = [
  { value: 0.5, fires: 'below', color: 'yellow' },
  { value: 0.25, fires: 'below', color: 'orange' },
  { value: 0, fires: 'below', color: 'red' },
];

/** A limit that is a floor of slo.ts, or of a gate: it wakes nobody, but it is not to be crossed. */
export function floorAt(value: number, fires: Limit['fires'] = 'above'): Limit {
  return { value, fires, color: 'orange' };
}
