/**
 * Gauges about the whole fleet: read in the background by the leading process, so that a scrape costs no query and is answered
 * while a database is away. What could not be read for a minute is left out of the answer: an old depth would be believed, and a
 * missing one is seen. The instant of the last reading stays, so that it can be told from a leader that is not there.
 */
import {
  Gauge,
  isAccessDenied,
  systemClock,
  type Clock,
  type DatabaseName,
  type Logger,
  type Metrics,
} from '@omnizap/runtime';

/** How often the figures are looked at; one that costs more is read at some of these looks only. */
export const figuresIntervalMs = 15_000;
const staleMs = 60_000;

export type Figure = {
  /** For the log. */
  name: string;
  /** Whoever cannot be reached for a minute takes all its figures with it, the seldom read ones too. */
  database: DatabaseName;
  /** Default: at each look. */
  intervalMs?: number;
  /** Reads it and sets its gauges. */
  read(): Promise<void>;
  /** Takes its series out of the answer. */
  leaveOut(): void;
};

export type LeaderFigures = {
  add(...figures: Figure[]): void;
  /** For the gauges of the figures: `collect` of prom-client, before their series are written. */
  leaveOutStale(): void;
  /** Reads what is due. Never rejects: what failed is logged and tried again at the next look. */
  refresh(): Promise<void>;
  /** Somebody else leads: two exporters of one depth would add up. */
  clear(): void;
};

export function createLeaderFigures(deps: {
  metrics: Metrics;
  log: Logger;
  clock?: Pick<Clock, 'now'>;
}): LeaderFigures {
  const { log, clock = systemClock } = deps;
  const figures: { figure: Figure; readAt: number; isShown: boolean; isDenied: boolean }[] = [];
  const answeredAt = new Map<DatabaseName, number>();
  let clearings = 0;
  const refreshed = new Gauge({
    name: 'omnizap_gauges_refreshed_timestamp_seconds',
    help: 'When the gauges of the leading maintenance process were last read, all of them.',
    registers: [deps.metrics.registry],
  });
  // A gauge without labels begins at 0, which would be a time.
  refreshed.remove();

  async function readOne(entry: (typeof figures)[number]): Promise<boolean> {
    const { figure } = entry;
    try {
      await figure.read();
      entry.isShown = true;
    } catch (error) {
      if (!isAccessDenied(error)) {
        log.warn({ err: error, figure: figure.name }, 'a figure for the metrics could not be read; trying again');
        return false;
      }
      if (!entry.isDenied)
        log.warn({ err: error, figure: figure.name }, 'our account may not see a figure: the metrics are without it');
      entry.isDenied = true;
      figure.leaveOut();
    }
    entry.readAt = clock.now();
    answeredAt.set(figure.database, entry.readAt);
    return true;
  }

  /** One after the other: a database is not to be asked for everything at once. */
  async function readAll(entries: typeof figures): Promise<boolean> {
    let isComplete = true;
    for (const entry of entries) isComplete = (await readOne(entry)) && isComplete;
    return isComplete;
  }

  return {
    add(...added) {
      for (const figure of added) figures.push({ figure, readAt: -Infinity, isShown: false, isDenied: false });
    },
    leaveOutStale() {
      const now = clock.now();
      for (const entry of figures) {
        const { database, intervalMs = figuresIntervalMs } = entry.figure;
        const isOld = now - entry.readAt > Math.max(intervalMs, figuresIntervalMs) - figuresIntervalMs + staleMs;
        if (!entry.isShown || (!isOld && now - (answeredAt.get(database) ?? -Infinity) <= staleMs)) continue;
        entry.figure.leaveOut();
        entry.isShown = false;
        // Whatever comes back is to be shown at once.
        entry.readAt = -Infinity;
      }
    },
    async refresh() {
      const now = clock.now();
      const term = clearings;
      // Half a look earlier than too late by one.
      const due = figures.filter(
        ({ figure, readAt }) => now - readAt >= (figure.intervalMs ?? 0) - figuresIntervalMs / 2,
      );
      const groups = [...Map.groupBy(due, ({ figure }) => figure.database).values()];
      const isComplete = (await Promise.all(groups.map(readAll))).every(Boolean);
      if (term !== clearings) clear();
      else if (isComplete) refreshed.set(Date.now() / 1_000);
    },
    clear,
  };

  function clear(): void {
    clearings += 1;
    for (const entry of figures) {
      entry.figure.leaveOut();
      Object.assign(entry, { isShown: false, readAt: -Infinity });
    }
    refreshed.remove();
  }
}
