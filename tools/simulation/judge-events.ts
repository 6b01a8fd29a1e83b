/** What must hold of events: none is lost, each aggregate's come in order, only the holder of a shard marks, a redrive is one. */
import { shardLeaseName } from '@omnizap/outbox';
import type { Happening } from './history.ts';
import type { Report } from './invariants.ts';

type Event = {
  eventId: number;
  aggregate: string;
  shard: number;
  /** Since when it waits to be handed over: its commit, or its redrive. */
  waitsSinceMs: number;
  claimedAtMs: number;
  isHandedOver: boolean;
  isDead: boolean;
  deaths: number;
  redrives: number;
};

export function createEventJudge(report: Report) {
  const events = new Map<number, Event>();
  const leases = new Map<string, number>();
  const holders = new Map<string, { by: string; sinceMs: number; before: string }>();

  function find(eventId: number): Event | undefined {
    const event = events.get(eventId);
    if (!event) report('event-lost', `event ${eventId} was never committed`);
    return event;
  }

  /** The lease as it was when the statement asked; a tear lies between its question and its effect. */
  function checkHolder(by: string, event: Event, askedAtMs: number): void {
    const holder = holders.get(shardLeaseName(event.shard));
    const holderThen = holder !== undefined && holder.sinceMs > askedAtMs ? holder.before : holder?.by;
    if (holderThen !== by)
      report(
        'mark-without-lease',
        `${by} marked event ${event.eventId}; its shard was held by ${holderThen || 'nobody'}`,
      );
    else if ((leases.get(by) ?? -Infinity) <= askedAtMs)
      report('mark-without-lease', `${by} marked event ${event.eventId} after its lease had run out`);
  }

  /** An older event of the aggregate that waited already when this one was claimed must have been handed over before. */
  function checkOrder(event: Event): void {
    for (const older of events.values())
      if (
        older.aggregate === event.aggregate &&
        older.eventId < event.eventId &&
        !older.isHandedOver &&
        !older.isDead &&
        older.waitsSinceMs < event.claimedAtMs
      )
        report(
          'commit-order',
          `event ${event.eventId} of ${event.aggregate} was handed over before event ${older.eventId}`,
        );
  }

  return {
    events,

    see(happening: Happening, atMs: number): void {
      switch (happening.kind) {
        case 'lease':
          leases.set(happening.by, happening.untilMs);
          return;
        case 'holder':
          holders.set(happening.name, {
            by: happening.by,
            sinceMs: atMs,
            before: holders.get(happening.name)?.by ?? '',
          });
          return;
        case 'committed': {
          const { eventId, aggregate, shard } = happening;
          const fresh = { waitsSinceMs: atMs, claimedAtMs: Infinity, isHandedOver: false, isDead: false };
          events.set(eventId, { eventId, aggregate, shard, ...fresh, deaths: 0, redrives: 0 });
          return;
        }
        case 'claimed': {
          const event = find(happening.eventId);
          if (event) event.claimedAtMs = atMs;
          return;
        }
        case 'handed-over': {
          const event = find(happening.eventId);
          if (!event || event.isHandedOver) return;
          checkOrder(event);
          event.isHandedOver = true;
          return;
        }
        case 'marked': {
          const event = find(happening.eventId);
          if (!event) return;
          if (!event.isHandedOver) report('event-lost', `event ${event.eventId} was marked before it was handed over`);
          checkHolder(happening.by, event, happening.askedAtMs);
          return;
        }
        case 'event-dead': {
          const event = find(happening.eventId);
          if (event) Object.assign(event, { isDead: true, deaths: event.deaths + 1 });
          return;
        }
        case 'event-redriven': {
          const event = find(happening.letterOf);
          if (!event) return;
          event.redrives += 1;
          if (event.redrives > event.deaths)
            report('redriven-twice', `the dead letter of event ${event.eventId} was redriven twice`);
          Object.assign(event, { isDead: false, isHandedOver: false, waitsSinceMs: atMs, claimedAtMs: Infinity });
          if (happening.eventId !== happening.letterOf)
            events.set(happening.eventId, { ...event, eventId: happening.eventId });
          return;
        }
        default:
      }
    },
  };
}
