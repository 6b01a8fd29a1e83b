/**
 * The domain's events and the one table that says which subjects each of them asks to be looked at. The same answer is used
 * twice: when an event is appended (the subjects' wanted versions rise in that transaction) and by the relay (tasks).
 */
import { z } from 'zod';
import { AppError } from '@omnizap/runtime';
import type { OutboxEvent } from '@omnizap/outbox';
import type { TaskHint } from '@omnizap/tasks';
import type { TaskType } from './task-settings.ts';

const assetEvent = {
  aggregateType: z.literal('sticker_asset'),
  payload: z.object({ asset_id: z.string() }),
};
/** The bucket has to be brought up to date with the sticker; absent where there is none. */
const stores = { stores: z.boolean().optional() };
const affectedPacks = { pack_ids: z.array(z.string()), theme_keys: z.array(z.string()) };

const eventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('STICKER_ASSET_CREATED'), ...assetEvent }),
  /** The words or emojis that describe an asset changed; `in_file` when its WhatsApp-ready file names them and exists. */
  z.object({
    type: z.literal('STICKER_ASSET_UPDATED'),
    aggregateType: z.literal('sticker_asset'),
    payload: z.object({ asset_id: z.string(), in_file: z.boolean().optional() }),
  }),
  z.object({
    type: z.literal('STICKER_CLASSIFIED'),
    aggregateType: z.literal('sticker_asset'),
    payload: z.object({
      asset_id: z.string(),
      category: z.string().nullable(),
      is_rejected: z.boolean(),
      ...stores,
      ...affectedPacks,
    }),
  }),
  /** The WhatsApp-ready file and the preview exist: the sticker can be shown. */
  z.object({
    type: z.literal('STICKER_READY'),
    aggregateType: z.literal('sticker_asset'),
    payload: z.object({ asset_id: z.string(), ...stores, ...affectedPacks }),
  }),
  /** An administrator, a ban or its end changed who may see the sticker. */
  z.object({
    type: z.literal('STICKER_MODERATED'),
    aggregateType: z.literal('sticker_asset'),
    payload: z.object({ asset_id: z.string(), ...stores, ...affectedPacks }),
  }),
  z.object({
    type: z.literal('PACK_UPDATED'),
    aggregateType: z.literal('sticker_pack'),
    payload: z.object({
      pack_id: z.string(),
      action: z.string(),
      theme_keys: z.array(z.string()),
      /** What webhooks of the pack's owner are told of it; absent where there is nothing to tell. */
      webhook_message_ids: z.array(z.string()).optional(),
      /** Stickers with which the bucket has to be brought up to date. */
      stored_asset_ids: z.array(z.string()).optional(),
    }),
  }),
  z.object({
    type: z.literal('ENGAGEMENT_RECORDED'),
    aggregateType: z.literal('sticker_pack'),
    payload: z.object({ pack_id: z.string(), action: z.string() }),
  }),
]);

export type DomainEvent = z.infer<typeof eventSchema>;
export type Subject = { taskType: TaskType; subjectId: string };

/** Subjects that an event asks to be looked at. Pure: the payload says everything. */
export function subjectsOf(event: DomainEvent): Subject[] {
  switch (event.type) {
    case 'STICKER_ASSET_CREATED':
      return [{ taskType: 'classification', subjectId: event.payload.asset_id }];
    case 'STICKER_ASSET_UPDATED': {
      const subjectId = event.payload.asset_id;
      return [
        { taskType: 'classification', subjectId },
        ...(event.payload.in_file === true ? [{ taskType: 'derivative' as const, subjectId }] : []),
      ];
    }
    case 'STICKER_CLASSIFIED':
      return [
        ...(event.payload.is_rejected ? [] : [{ taskType: 'derivative' as const, subjectId: event.payload.asset_id }]),
        ...themesAndPacks(event.payload),
        ...storedBy(event.payload),
      ];
    case 'STICKER_READY':
    case 'STICKER_MODERATED':
      return [...themesAndPacks(event.payload), ...storedBy(event.payload)];
    case 'PACK_UPDATED':
      return [
        ...themesAndPacks({ pack_ids: [event.payload.pack_id], theme_keys: event.payload.theme_keys }),
        ...(event.payload.webhook_message_ids ?? []).map((subjectId) => ({ taskType: 'webhook' as const, subjectId })),
        ...(event.payload.stored_asset_ids ?? []).map((subjectId) => ({ taskType: 'storage' as const, subjectId })),
      ];
    case 'ENGAGEMENT_RECORDED':
      return [{ taskType: 'rebuild', subjectId: event.payload.pack_id }];
  }
}

function storedBy(payload: { asset_id: string; stores?: boolean | undefined }): Subject[] {
  return payload.stores === true ? [{ taskType: 'storage', subjectId: payload.asset_id }] : [];
}

function themesAndPacks(payload: { pack_ids: string[]; theme_keys: string[] }): Subject[] {
  return [
    ...payload.theme_keys.map((subjectId) => ({ taskType: 'curation' as const, subjectId })),
    ...payload.pack_ids.map((subjectId) => ({ taskType: 'rebuild' as const, subjectId })),
  ];
}

/** Id of the aggregate that an event belongs to. */
export function aggregateIdOf(event: DomainEvent): string {
  return 'asset_id' in event.payload ? event.payload.asset_id : event.payload.pack_id;
}

/** Task priority by what a person is waiting for. */
const priorities: Record<DomainEvent['type'], number> = {
  STICKER_ASSET_CREATED: 85,
  STICKER_ASSET_UPDATED: 80,
  STICKER_CLASSIFIED: 80,
  STICKER_READY: 75,
  STICKER_MODERATED: 80,
  PACK_UPDATED: 70,
  ENGAGEMENT_RECORDED: 55,
};

export function priorityOf(event: DomainEvent): number {
  return priorities[event.type];
}

/** Tasks of a relayed event. @throws AppError `event-invalid` when the row is not one of ours. */
export function tasksOf(row: OutboxEvent): TaskHint[] {
  const parsed = eventSchema.safeParse(row);
  if (!parsed.success) {
    throw new AppError(
      'event-invalid',
      `Event ${row.id} (${row.type}) does not match its schema: ${z.prettifyError(parsed.error)}`,
    );
  }
  return subjectsOf(parsed.data).map((subject) => ({
    ...subject,
    priority: row.priority,
    eventId: row.id,
    requestId: row.requestId ?? undefined,
    trace: row.trace ?? null,
    announcedAtMs: row.createdAt.getTime(),
  }));
}
