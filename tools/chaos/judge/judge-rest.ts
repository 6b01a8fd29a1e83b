/** Whether anything is left hanging when all should be done, and whether processes ended as they should. */
import type { FinalTables } from '../final-tables.ts';
import type { Life } from '../fleet.ts';
import type { Rest } from '../quiescence.ts';
import { violation } from './violation.ts';
import type { Violation } from './violation.ts';

/** The contract's limit for a stop that was asked for. */
const stopLimitMs = 15_000;

export function judgeRest(tables: FinalTables, rest: Rest): Violation[] {
  const found: Violation[] = [];
  if (!rest.isQuiet)
    found.push(
      violation(
        'not_quiet',
        3,
        `the fleet did not come to rest within ${Math.round(rest.tookMs / 1_000)} s: ${rest.stuck.join('; ')}`,
      ),
    );
  for (const event of tables.openEvents)
    if (event.status === 'processing')
      found.push(violation('orphan', 7, `event ${event.id} is processing, nobody works on it`));
  for (const job of tables.openJobs)
    if (job.state === 'active')
      found.push(
        violation('orphan', 8, `task ${job.id} (${job.queue} of ${job.subject ?? '?'}) is active, nobody works on it`),
      );
  for (const lease of tables.leases)
    if (lease.processId !== null && !lease.isLive)
      found.push(violation('orphan', 8, `lease ${lease.name} is held by ${lease.processId}, which is dead`));
  return found;
}

/** `isDisturbed` tells whether a database or a network was failing for that process at that time. */
export function judgeLives(
  lives: Life[],
  isDisturbed: (life: Life, fromMs: number, toMs: number) => boolean,
): Violation[] {
  return lives.flatMap((life) => {
    const { slot, pid, askedAt, endedAt } = life;
    const end = life.signal ?? `code ${String(life.code)}`;
    if (life.asked === null)
      return endedAt === null ? [] : [violation('bad_end', 11, `${slot} (pid ${pid}) ended by itself with ${end}`)];
    if (life.asked === 'kill' || askedAt === null) return [];
    const tookMs = (endedAt ?? Infinity) - askedAt;
    if (isDisturbed(life, askedAt, endedAt ?? Date.now())) return [];
    // One that was asked before it listened for signals ends by the signal, and owes nobody anything.
    if (life.readyAt === null && life.signal === 'SIGTERM') return [];
    if (tookMs > stopLimitMs)
      return [violation('bad_end', 11, `${slot} (pid ${pid}) took ${(tookMs / 1_000).toFixed(1)} s to stop`)];
    return life.code === 0
      ? []
      : [violation('bad_end', 11, `${slot} (pid ${pid}) was asked to stop and ended with ${end}`)];
  });
}
