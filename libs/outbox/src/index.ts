export { appendEvents, outboxTopic } from './append.ts';
export { shardCount, shardOf } from './event.ts';
export type { EventDraft, OutboxEvent } from './event.ts';
export { createOutboxStore } from './outbox-store.ts';
export type { Hold, OutboxStore } from './outbox-store.ts';
export { createRelay } from './relay.ts';
export type { Delivery } from './relay.ts';
