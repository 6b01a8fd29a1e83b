/**
 * What happened, in the order in which it took effect: the only thing that the judge believes, the trace that a violation is
 * shown with, and (folded into a hash) the proof that a seed repeats itself.
 */

/** How a worker or the leader settled an attempt. */
export type Settling = 'complete' | 'retry' | 'bury' | 'give-back' | 'rescue' | 'expire';

export type Happening =
  // Leases
  | { kind: 'lease'; by: string; untilMs: number }
  | { kind: 'holder'; name: string; by: string }
  // Events
  | { kind: 'committed'; eventId: number; aggregate: string; shard: number }
  | { kind: 'claimed'; by: string; eventId: number }
  | { kind: 'handed-over'; by: string; eventId: number }
  | { kind: 'marked'; by: string; eventId: number; askedAtMs: number }
  | { kind: 'event-waits'; by: string; eventId: number }
  | { kind: 'event-dead'; by: string; eventId: number }
  | { kind: 'event-redriven'; by: string; letterOf: number; eventId: number }
  // Tasks
  | { kind: 'hinted'; by: string; queue: string; subject: string; isWaiting: boolean }
  | { kind: 'fetched'; by: string; taskId: string; retryCount: number; attempt: number; queue: string; subject: string }
  | { kind: 'started'; by: string; taskId: string; subject: string }
  | { kind: 'ended'; by: string; taskId: string; subject: string; outcome: string }
  | { kind: 'settled'; by: string; taskId: string; retryCount: number; how: Settling; hasEffect: boolean }
  | { kind: 'task-dead'; by: string; taskId: string; subject: string; attempts: number }
  | { kind: 'task-redriven'; by: string; taskId: string; subject: string }
  | { kind: 'rows-lost'; tasks: number }
  // The catalogue
  | { kind: 'wanted'; by: string; subject: string; version: number }
  | { kind: 'wrote'; by: string; subject: string; version: number; sources: string }
  // Processes
  | { kind: 'process'; by: string; what: 'starts' | 'crashes' | 'sleeps' | 'wakes' | 'stops' | 'has stopped' }
  | { kind: 'flag'; lane: string }
  | { kind: 'cured'; what: string }
  | { kind: 'weather'; what: 'calms down' }
  | { kind: 'said'; by: string; text: string };

export type Recorded = { atMs: number; happening: Happening };
export type History = ReturnType<typeof createHistory>;

export function createHistory(now: () => number) {
  const recorded: Recorded[] = [];
  const listeners: ((happening: Happening, atMs: number) => void)[] = [];
  let high = 0x811c9dc5;
  let low = 0x01000193;

  /** Two 32-bit lanes: enough to tell two histories apart, cheap enough to run always. */
  function fold(value: number): void {
    high = Math.imul(high ^ value, 0x01000193);
    low = (Math.imul(low, 31) + value) | 0;
  }

  function foldText(text: string): void {
    for (let index = 0; index < text.length; index += 1) fold(text.charCodeAt(index));
  }

  return {
    record(happening: Happening): void {
      const atMs = now();
      recorded.push({ atMs, happening });
      fold(Math.round(atMs * 1_000));
      for (const value of Object.values(happening)) {
        if (typeof value === 'string') foldText(value);
        else fold(Number(value));
      }
      for (const listener of listeners) listener(happening, atMs);
    },

    onRecord(listener: (happening: Happening, atMs: number) => void): void {
      listeners.push(listener);
    },

    length: () => recorded.length,
    hash: () => (high >>> 0).toString(16).padStart(8, '0') + (low >>> 0).toString(16).padStart(8, '0'),

    /** The last `count` happenings as lines, leases left out: they are most of a history and rarely the point. */
    trace(count: number): string[] {
      return recorded
        .filter(({ happening }) => happening.kind !== 'lease')
        .slice(-count)
        .map(toLine);
    },
  };
}

function toLine({ atMs, happening }: Recorded): string {
  const { kind, ...fields } = happening;
  const text = Object.entries(fields).map(([name, value]) => `${name}=${String(value)}`);
  return `${(atMs / 1_000).toFixed(3).padStart(9)} s  ${kind.padEnd(14)} ${text.join(' ')}`;
}
