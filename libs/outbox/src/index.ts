export { appendEvents, outboxTopic } from './append.ts';
export { deadLetterDetailJson, deadLetterJson, deadLetterSources, settledJson } from './dead-letter.ts';
export type {
  DeadLetter,
  DeadLetterDetail,
  DeadLetterFilter,
  DeadLetterSource,
  Settled,
  Settlement,
} from './dead-letter.ts';
export { createDeadLetterStore, deadEvents } from './dead-letter-store.ts';
export type { DeadLetterStore, DeadLetterTable, ErrorHead } from './dead-letter-store.ts';
export { shardCount, shardLeaseName, shardOf } from './event.ts';
export { findEvent } from './event-detail-store.ts';
export type { EventDraft, OutboxEvent } from './event.ts';
export { claimLimitPerShard, createOutboxStore, outboxDepthQueries, toOutboxDepth } from './outbox-store.ts';
export { outboxRetention } from './outbox-retention.ts';
export type { DepthRow, Failure, Hold, OutboxDepth, OutboxStore } from './outbox-store.ts';
export { returnEvents } from './redrive-store.ts';
export { createRelay } from './relay.ts';
export type { Delivery, EventSource } from './relay.ts';
