import { describe, expect, it } from '@jest/globals';
import type { EventChange } from './final-tables.ts';
import { drawTimeline, secondsToRecover } from './recovery.ts';
import type { RequestRecord } from './requests.ts';

const start = 1_000_000;
/** Ten requests a second; unanswered from second `from` to second `to`. */
function requests(seconds: number, from: number, to: number): RequestRecord[] {
  return Array.from({ length: seconds * 10 }, (_, index) => {
    const isAnswered = index < from * 10 || index >= to * 10;
    return {
      id: String(index),
      operation: 'list',
      startedAt: start + index * 100,
      endedAt: start + index * 100 + 5,
      outcome: isAnswered ? 'ok' : 'unknown',
      status: isAnswered ? 200 : 0,
    };
  });
}
const event = (atMs: number, eventId: number, newStatus: string): EventChange => ({
  seq: atMs,
  atMs,
  batch: String(atMs),
  actor: 'product',
  operation: newStatus === 'pending' ? 'insert' : 'update',
  eventId,
  eventType: 'PACK_UPDATED',
  aggregate: 'sticker_pack:1',
  action: null,
  requestId: null,
  oldStatus: null,
  newStatus,
});

describe('recovery', () => {
  it('lasts until requests are answered again', () => {
    const timeline = drawTimeline(requests(20, 8, 13), [], start, start + 20_000);

    expect(secondsToRecover(timeline, start + 8_000, start + 10_000)).toBe(3);
    expect(secondsToRecover(timeline, start + 8_000, start + 14_000)).toBe(0);
  });

  it('lasts until the events that piled up are worked off', () => {
    const events = Array.from({ length: 50 }, (_, id) => [
      event(start + 9_000, id, 'pending'),
      event(start + 15_500, id, 'completed'),
    ]).flat();
    const timeline = drawTimeline(requests(20, 9, 9), events, start, start + 20_000);

    expect(secondsToRecover(timeline, start + 8_000, start + 12_000)).toBe(3);
  });

  it('is not claimed when it was not seen, or when there was nothing to compare with', () => {
    const timeline = drawTimeline(requests(20, 8, 20), [], start, start + 20_000);

    expect(secondsToRecover(timeline, start + 8_000, start + 10_000)).toBeNull();
    expect(secondsToRecover(timeline, start + 1_000, start + 10_000)).toBeNull();
  });
});
