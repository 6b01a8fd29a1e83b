import { describe, expect, it } from '@jest/globals';
import type { OutboxEvent } from '@omnizap/outbox';
import { aggregateIdOf, priorityOf, subjectsOf, tasksOf, type DomainEvent } from './events.ts';

const affected = { pack_ids: ['pack-1', 'pack-2'], theme_keys: ['love', 'love:animated'] };
const themesAndPacks = ['curation love', 'curation love:animated', 'rebuild pack-1', 'rebuild pack-2'];

/** Every type of event, with the subjects that have to be looked at because of it. */
const cases: [name: string, event: DomainEvent, aggregateId: string, subjects: string[]][] = [
  [
    'a new sticker',
    { type: 'STICKER_ASSET_CREATED', aggregateType: 'sticker_asset', payload: { asset_id: 'asset' } },
    'asset',
    ['classification asset'],
  ],
  [
    'new words for a sticker',
    { type: 'STICKER_ASSET_UPDATED', aggregateType: 'sticker_asset', payload: { asset_id: 'asset' } },
    'asset',
    ['classification asset'],
  ],
  [
    'a classified sticker',
    {
      type: 'STICKER_CLASSIFIED',
      aggregateType: 'sticker_asset',
      payload: { asset_id: 'asset', category: 'love', is_rejected: false, ...affected },
    },
    'asset',
    ['derivative asset', ...themesAndPacks],
  ],
  [
    'a rejected sticker',
    {
      type: 'STICKER_CLASSIFIED',
      aggregateType: 'sticker_asset',
      payload: { asset_id: 'asset', category: null, is_rejected: true, ...affected },
    },
    'asset',
    themesAndPacks,
  ],
  [
    'a sticker that can be shown',
    { type: 'STICKER_READY', aggregateType: 'sticker_asset', payload: { asset_id: 'asset', ...affected } },
    'asset',
    themesAndPacks,
  ],
  [
    'a sticker that was taken down',
    { type: 'STICKER_MODERATED', aggregateType: 'sticker_asset', payload: { asset_id: 'asset', ...affected } },
    'asset',
    themesAndPacks,
  ],
  [
    'a changed pack',
    {
      type: 'PACK_UPDATED',
      aggregateType: 'sticker_pack',
      payload: { pack_id: 'pack', action: 'published', theme_keys: ['love'] },
    },
    'pack',
    ['curation love', 'rebuild pack'],
  ],
  [
    'an open, a like or a dislike',
    { type: 'ENGAGEMENT_RECORDED', aggregateType: 'sticker_pack', payload: { pack_id: 'pack', action: 'like' } },
    'pack',
    ['rebuild pack'],
  ],
  [
    'new words for a sticker whose file names them',
    { type: 'STICKER_ASSET_UPDATED', aggregateType: 'sticker_asset', payload: { asset_id: 'asset', in_file: true } },
    'asset',
    ['classification asset', 'derivative asset'],
  ],
];

const rowOf = (event: DomainEvent, changes: Partial<OutboxEvent> = {}): OutboxEvent => ({
  id: 7,
  type: event.type,
  aggregateType: event.aggregateType,
  aggregateId: aggregateIdOf(event),
  payload: event.payload,
  priority: priorityOf(event),
  attempts: 1,
  maxAttempts: 10,
  requestId: 'request-1',
  createdAt: new Date(1_700_000_000_123),
  ...changes,
});

describe.each(cases)('%s', (_name, event, aggregateId, subjects) => {
  it('asks for exactly the subjects that it concerns', () => {
    expect(subjectsOf(event).map(({ taskType, subjectId }) => `${taskType} ${subjectId}`)).toEqual(subjects);
    expect(aggregateIdOf(event)).toBe(aggregateId);
  });

  it('leads to the same subjects after its way through the outbox, with all that ties them together', () => {
    const hints = tasksOf(rowOf(event));

    expect(hints.map(({ taskType, subjectId }) => `${taskType} ${subjectId}`)).toEqual(subjects);
    for (const hint of hints)
      expect(hint).toMatchObject({
        priority: priorityOf(event),
        eventId: 7,
        requestId: 'request-1',
        announcedAtMs: 1_700_000_000_123,
      });
  });
});

describe('tasksOf', () => {
  const [, created] = cases[0] as (typeof cases)[number];
  const [, classified] = cases[2] as (typeof cases)[number];

  it.each([
    ['an unknown type', rowOf(created, { type: 'STICKER_EATEN' })],
    ['another aggregate', rowOf(created, { aggregateType: 'sticker_pack' })],
    ['no payload', rowOf(created, { payload: null })],
    ['a payload without its id', rowOf(created, { payload: {} })],
    ['a payload of the wrong kind', rowOf(classified, { payload: { ...classified.payload, is_rejected: 'no' } })],
    ['a list that is none', rowOf(classified, { payload: { ...classified.payload, pack_ids: 'pack-1' } })],
  ])('refuses %s and says which event it is', (_name, row) => {
    expect(() => tasksOf(row)).toThrow(
      expect.objectContaining({ code: 'event-invalid', message: expect.stringMatching(/^Event 7 \(/) }),
    );
  });

  it('does not mind what a newer release adds to a payload', () => {
    const row = rowOf(created, { payload: { ...created.payload, added_later: true } });

    expect(tasksOf(row)).toHaveLength(1);
  });
});

describe('priorityOf', () => {
  it('puts what a person waits for first', () => {
    const order = cases.map(([, event]) => event).toSorted((a, b) => priorityOf(b) - priorityOf(a));

    expect(order[0]?.type).toBe('STICKER_ASSET_CREATED');
    expect(order.at(-1)?.type).toBe('ENGAGEMENT_RECORDED');
  });
});
