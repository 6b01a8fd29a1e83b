/** What explains much else: alerts name these where they cannot be healthy meanwhile. */

/** Nothing is measured. */
export const blindness = ['TargetsMissing'] as const;

/** The catalogue's or the queues' server does not answer, or answers so slowly that everything waits. */
export const databaseTrouble = [
  'DatabaseFailing',
  'DatabaseQueriesSlow',
  'DatabaseLockWaits',
  'DatabaseConnectionsHigh',
  'DatabasePoolExhausted',
] as const;

/** Nobody counts what waits. */
export const leaderTrouble = ['MaintenanceDown', 'GaugesStale'] as const;
