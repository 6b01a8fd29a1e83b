/** Whether the schemas are those of this release. */
import type { QueueState } from '@omnizap/tasks';
import { fail, ok, warn, type Finding } from './finding.ts';

export type MigrationFacts = { missing: string[]; unknown: string[] };

const migrate = 'npm run db:migrate';

export function judgeMigrations({ missing, unknown }: MigrationFacts): Finding[] {
  const findings: Finding[] = [];
  if (missing.length > 0)
    findings.push(
      fail(`The catalogue lacks ${missing.length} migrations of this release: ${listed(missing)}.`, migrate),
    );
  if (unknown.length > 0)
    findings.push(
      warn(
        `The catalogue has ${unknown.length} migrations that this release does not know: ${listed(unknown)}. A newer release has migrated; use its checkout.`,
        'npm run ops -- release verify --expect-version any',
      ),
    );
  return findings.length > 0 ? findings : [ok('The catalogue has every migration of this release, and no others.')];
}

export function judgeQueueSchema(state: Omit<QueueState, 'counts' | 'waiting'>): Finding[] {
  const { schemaVersion, neededSchemaVersion, missing } = state;
  if (schemaVersion === null) return [fail('The task queues are not installed in the queue database.', migrate)];
  if (schemaVersion < neededSchemaVersion)
    return [
      fail(`The schema of the task queues is ${schemaVersion}; this release needs ${neededSchemaVersion}.`, migrate),
    ];
  if (schemaVersion > neededSchemaVersion)
    return [
      warn(
        `The schema of the task queues is ${schemaVersion}, newer than the ${neededSchemaVersion} of this release: use the newer checkout.`,
        'npm run ops -- release verify --expect-version any',
      ),
    ];
  if (missing.length > 0) return [fail(`Task queues of this release are missing: ${listed(missing)}.`, migrate)];
  return [ok('The task queues are those of this release.')];
}

function listed(names: string[]): string {
  const most = 3;
  return names.slice(0, most).join(', ') + (names.length > most ? ', ...' : '');
}
