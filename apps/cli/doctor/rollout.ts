/** Rollouts that run or must not, and whether anybody leads them. */
import { info, ok, warn, type Finding } from './finding.ts';
import type { Mending } from './mending.ts';

export type RolloutFacts = {
  active: {
    id: number;
    planName: string;
    state: string;
    /** Where it is, in words. */
    position: string;
    /** Since the controller looked at it last, by the database's clock. */
    idleSeconds: number;
    hold: { by: string; reason: string; seconds: number } | null;
  } | null;
  frozen: { by: string; reason: string; untilAt: Date | null } | null;
  hasMaintenance: boolean;
};

/** The controller looks every 5 s, and a new leader needs 10 s. */
const abandonedSeconds = 60;
/** Whoever held it went home. */
const forgottenSeconds = 24 * 3_600;

export function judgeRollout({ active, frozen, hasMaintenance }: RolloutFacts, mending: Mending): Finding[] {
  const findings: Finding[] = [];
  if (frozen)
    findings.push(
      info(
        `Rollouts are frozen by ${frozen.by}${frozen.untilAt ? ` until ${frozen.untilAt.toISOString()}` : ''}: ${frozen.reason}`,
        'npm run ops -- rollout unfreeze --reason "..."',
      ),
    );
  if (active) {
    const which = `Rollout run ${active.id} of ${active.planName}`;
    if (active.idleSeconds > abandonedSeconds)
      findings.push(
        warn(
          `${which} is active and nobody has looked at it for ${minutes(active.idleSeconds)}: nothing would be rolled back.`,
          hasMaintenance ? mending.logs('maintenance', 'stable') : mending.start('maintenance'),
        ),
      );
    else if (active.hold?.by === 'operator' && active.hold.seconds > forgottenSeconds)
      findings.push(
        warn(
          `${which} has been held by an operator for ${minutes(active.hold.seconds)}: ${active.hold.reason}`,
          'npm run ops -- rollout resume --reason "..."',
        ),
      );
    else
      findings.push(info(`${which} is active: ${active.state}, ${active.position}.`, 'npm run ops -- rollout status'));
  }
  return findings.length > 0 ? findings : [ok('No rollout is active, and nothing is frozen.')];
}

function minutes(seconds: number): string {
  return seconds < 2 * 3_600 ? `${Math.round(seconds / 60)} min` : `${Math.floor(seconds / 3_600)} h`;
}
