/** A domain event as it is appended and as the relay reads it back. */
import type { TraceContext } from '@omnizap/runtime';
import murmurhash from 'murmurhash';

/** Shards are leased to relays one by one; more than there will be relays, few enough that idle ones cost nothing. */
export const shardCount = 16;

export type EventDraft = {
  type: string;
  aggregateType: string;
  aggregateId: string;
  payload: Record<string, unknown>;
  /** Priority of the tasks that it leads to (higher first); the order of events is never changed by it. */
  priority?: number;
  requestId?: string | undefined;
};

export type OutboxEvent = {
  id: number;
  type: string;
  aggregateType: string;
  aggregateId: string;
  payload: unknown;
  priority: number;
  attempts: number;
  maxAttempts: number;
  requestId: string | null;
  /** Of the span in which it was appended; null when nobody traced that. */
  trace?: TraceContext | null;
  /** When it was appended, or when its redrive was due. */
  createdAt: Date;
};

/** The shard of an aggregate: MurmurHash3 (x86, 32 bit, seed 0) of `<type>:<id>` in UTF-8, modulo the number of shards. */
export function shardOf(aggregateType: string, aggregateId: string): number {
  return murmurhash.v3(`${aggregateType}:${aggregateId}`) % shardCount;
}

/** Name of a shard's lease. */
export function shardLeaseName(shard: number): string {
  return `outbox-shard-${String(shard).padStart(2, '0')}`;
}
