import { describe, expect, it } from '@jest/globals';
import type { OutboxEvent } from '@omnizap/outbox';
import { createLogger } from '@omnizap/runtime';
import type { TaskHint } from '@omnizap/tasks';
import { createEventDelivery } from './event-delivery.ts';

const log = createLogger({ level: 'silent', format: 'json', process: 'test' });

const event = (id: number, aggregateId: string, type = 'STICKER_ASSET_UPDATED'): OutboxEvent => ({
  ...{ id, type, aggregateType: 'sticker_asset', aggregateId, payload: { asset_id: aggregateId }, priority: 80 },
  ...{ attempts: 1, maxAttempts: 10, requestId: null, createdAt: new Date(0) },
});

describe('the delivery of events', () => {
  it('hands over nothing of an aggregate behind an event that cannot be read, and everything of the others', async () => {
    const handedOver: (number | undefined)[] = [];
    const enqueue = (hints: TaskHint[]): Promise<void> => {
      handedOver.push(...hints.map((hint) => hint.eventId));
      return Promise.resolve();
    };
    const deliver = createEventDelivery({ queues: { enqueue }, log });

    const { failed } = await deliver([
      event(1, 'a'),
      event(2, 'a', 'UNKNOWN'),
      event(3, 'b'),
      event(4, 'a'),
      event(5, 'a', 'UNKNOWN'),
    ]);

    expect(handedOver).toEqual([1, 3]);
    expect(failed.map((entry) => entry.event.id)).toEqual([2]);
  });
});
