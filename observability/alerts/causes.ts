/** What explains much else: alerts name these where they cannot be healthy meanwhile. */
import type { Cause } from '../alert.ts';

/** The alert explains, whatever its labels are. */
export function because(...alerts: readonly string[]): Cause[] {
  return alerts.map((alert) => ({ alert }));
}

/** It explains while it is about these: of one kind of process, or of one database. */
export function becauseOf(where: Readonly<Record<string, string>>, ...alerts: readonly string[]): Cause[] {
  return alerts.map((alert) => ({ alert, where }));
}

/** It explains what has the same label. */
export function becauseOfSame(label: string, ...alerts: readonly string[]): Cause[] {
  return alerts.map((alert) => ({ alert, equal: [label] }));
}

/** Nothing is measured. */
export const blindness = because('TargetsMissing');

const catalogue = { database: 'catalogue' };

/** Leases, flags and the outbox are in the catalogue's database, and nobody can write or read them. */
export const catalogueFailing = becauseOf(catalogue, 'DatabaseFailing');

/** What reads and writes the catalogue fails, or waits. */
export const catalogueTrouble = becauseOf(catalogue, 'DatabaseFailing', 'DatabaseQueriesSlow');

/** Tasks need both databases. */
export const databaseTrouble = because('DatabaseFailing', 'DatabaseQueriesSlow');

/** What the leading maintenance process does is not done. */
export const leaderGone = because('MaintenanceDown');
