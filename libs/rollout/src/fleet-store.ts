/** One query for all that a process has to know about the others: flags, which task types are paused, who works which lane. */
import { z } from 'zod';
import { fromJsonColumn, rowsOf, sqlNow, type Database } from '@omnizap/runtime';

export type FleetView = {
  flags: Map<string, { isEnabled: boolean; rolloutPercent: number }>;
  pausedTypes: Set<string>;
  /** `<task type>.<lane>` of every live process that works tasks. */
  servedLanes: Set<string>;
};

/** What a process that works tasks says about itself in its status. */
const workerStatus = z.object({ lane: z.string(), task_types: z.array(z.string()) });

export async function readFleet(database: Pick<Database, 'knex' | 'kind'>): Promise<FleetView> {
  const result: unknown = await database.knex.raw(
    `SELECT 'process' AS kind, s.process_name AS name, 0 AS is_enabled, 0 AS rollout_percent, s.status AS status
       FROM process_lease l JOIN process_status s ON s.process_id = l.process_id WHERE l.expires_at > ${sqlNow(database.kind)}
     UNION ALL SELECT 'flag', flag_name, is_enabled, rollout_percent, NULL FROM feature_flag
     UNION ALL SELECT 'pause', task_type, 0, 0, NULL FROM task_pause`,
  );
  type Row = { kind: string; name: string; is_enabled: number; rollout_percent: number; status: unknown };
  const view: FleetView = { flags: new Map(), pausedTypes: new Set(), servedLanes: new Set() };
  for (const row of rowsOf<Row>(result)) {
    if (row.kind === 'flag')
      view.flags.set(row.name, {
        isEnabled: Number(row.is_enabled) === 1,
        rolloutPercent: Number(row.rollout_percent),
      });
    else if (row.kind === 'pause') view.pausedTypes.add(row.name);
    else {
      const { data } = workerStatus.safeParse(fromJsonColumn(row.status));
      for (const type of data?.task_types ?? []) view.servedLanes.add(`${type}.${data?.lane ?? ''}`);
    }
  }
  return view;
}
