/**
 * Is what should run really running? Looks at the processes that are alive by the database's word, asks each at its own URL, and
 * looks again until everything was right and nobody was replaced for a while. It prefers calling a release bad that needs longer
 * over calling one good that dies every few seconds.
 */
import type { Clock, LiveProcess } from '@omnizap/runtime';
import { findingsOf, restlessFinding, type Finding, type Member, type Probe, type Wanted } from './release-findings.ts';

const lookIntervalMs = 1_000;
/** Once may be a deployment that is still under way. */
const restlessReplacements = 2;

export type ReleaseReport = {
  members: Member[];
  /** None: all is well. */
  findings: Finding[];
  /** How often a process of that kind came anew while we looked. */
  replacements: Record<string, number>;
  lookedMs: number;
};

export type ReleaseCheckOptions = Wanted & {
  /** How long things may take to get right. */
  timeoutMs: number;
  /** How long they have to stay so, with the same processes. */
  observeMs: number;
  /** After each look. */
  onLook?: (findings: Finding[]) => void;
};

type Deps = {
  liveProcesses: () => Promise<LiveProcess[]>;
  /** Asks a process how it is. Never rejects. */
  probe: (url: string) => Promise<Probe>;
  clock: Clock;
};

/** Ends as soon as it knows. @throws what `liveProcesses` throws */
export async function checkRelease(deps: Deps, options: ReleaseCheckOptions): Promise<ReleaseReport> {
  const { clock } = deps;
  const startedAt = clock.now();
  const seen = new Map<string, Set<string>>();
  const replacements: Record<string, number> = {};
  let quietSince: number | null = null;
  for (;;) {
    const members = await look(deps, options);
    const findings = findingsOf(members, options);
    const replaced = countReplaced(members, seen, replacements);
    options.onLook?.(findings);

    const now = clock.now();
    const lookedMs = now - startedAt;
    if (findings.length > 0) quietSince = null;
    else if (quietSince === null || replaced > 0) quietSince = now;
    if (quietSince !== null && now - quietSince >= options.observeMs)
      return { members, findings, replacements, lookedMs };
    if (lookedMs >= options.timeoutMs && (findings.length > 0 || replaced > 0)) {
      const restless = Object.entries(replacements)
        .filter(([, count]) => count >= (findings.length === 0 ? 1 : restlessReplacements))
        .map(([process, count]) => restlessFinding(process, count, lookedMs, options.release));
      return { members, findings: [...findings, ...restless], replacements, lookedMs };
    }
    await clock.sleep(lookIntervalMs);
  }
}

async function look({ liveProcesses, probe }: Deps, { release }: Wanted): Promise<Member[]> {
  const live = (await liveProcesses()).filter(({ status }) => status.release === release);
  return await Promise.all(
    live.map(async ({ processId, processName, status }) => {
      const url = String(status.url);
      return {
        process: processName,
        processId,
        pid: Number(status.pid),
        url,
        version: String(status.version),
        probe: await probe(url),
      };
    }),
  );
}

/** Adds what is new to `seen`. Whoever comes when none of the kind had been seen has replaced nobody. */
function countReplaced(
  members: Member[],
  seen: Map<string, Set<string>>,
  replacements: Record<string, number>,
): number {
  let replaced = 0;
  for (const [process, group] of Map.groupBy(members, (member) => member.process)) {
    const known = seen.get(process);
    const fresh = group.filter(({ processId }) => known?.has(processId) !== true);
    seen.set(process, new Set([...(known ?? []), ...fresh.map(({ processId }) => processId)]));
    if (known === undefined || fresh.length === 0) continue;
    replaced += fresh.length;
    replacements[process] = (replacements[process] ?? 0) + fresh.length;
  }
  return replaced;
}
