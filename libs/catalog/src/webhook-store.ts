/**
 * SQL of webhooks and of the messages that are still to be sent. Whoever changes both locks the webhook first, then its messages,
 * then their work states.
 */
import type { Knex } from 'knex';
import { fromJsonColumn, sqlNow, sqlNowPlus, type DatabaseKind } from '@omnizap/runtime';
import { forgetSubjects } from './work-state-store.ts';

/** What a webhook is without its secret. */
export type Webhook = {
  id: string;
  url: string;
  events: string[];
  failuresInRow: number;
  lastAttempt: { at: Date; httpStatus: number | null; error: string | null } | null;
  disabled: { at: Date; reason: string } | null;
  createdAt: Date;
};

type WebhookRow = {
  id: string;
  url: string;
  events: unknown;
  failures_in_row: number;
  attempted_at: Date | null;
  attempt_http_status: number | null;
  attempt_error: string | null;
  disabled_at: Date | null;
  disabled_reason: string | null;
  created_at: Date;
};
const shownColumns = [
  ...['id', 'url', 'events', 'failures_in_row', 'attempted_at', 'attempt_http_status', 'attempt_error'],
  ...['disabled_at', 'disabled_reason', 'created_at'],
];

export async function insertWebhook(
  trx: Knex.Transaction,
  webhook: { id: string; ownerId: string; url: string; events: string[]; secret: string },
): Promise<void> {
  await trx('webhook').insert({
    id: webhook.id,
    owner_id: webhook.ownerId,
    url: webhook.url,
    events: JSON.stringify(webhook.events),
    secret: webhook.secret,
  });
}

/** Of one owner, in the order in which they were made. Index `webhook_owner_idx`. */
export async function webhooksOfOwner(db: Knex, ownerId: string): Promise<Webhook[]> {
  const rows = await db('webhook').where({ owner_id: ownerId }).orderBy('id').select<WebhookRow[]>(shownColumns);
  return rows.map((row) => ({
    id: row.id,
    url: row.url,
    events: fromJsonColumn(row.events) as string[],
    failuresInRow: row.failures_in_row,
    lastAttempt:
      row.attempted_at === null
        ? null
        : { at: row.attempted_at, httpStatus: row.attempt_http_status, error: row.attempt_error },
    disabled: row.disabled_at === null ? null : { at: row.disabled_at, reason: row.disabled_reason ?? '' },
    createdAt: row.created_at,
  }));
}

/** With everything that it was still to be told. False: there is none of that owner; null: of anybody. */
export async function removeWebhook(
  trx: Knex.Transaction,
  webhookId: string,
  ownerId: string | null,
): Promise<boolean> {
  const query = trx('webhook').where({ id: webhookId });
  if (ownerId !== null) void query.andWhere({ owner_id: ownerId });
  if ((await query.delete()) === 0) return false;
  await forgetMessages(trx, { webhook_id: webhookId });
  return true;
}

export type Subscriber = { webhookId: string; events: string[]; packKey: string; version: number };

/** Webhooks of the pack's owner, if the pack was published; deleted packs included. The pack is as `trx` has left it so far. */
export async function subscribersOfPack(trx: Knex.Transaction, packId: string): Promise<Subscriber[]> {
  const rows = await trx('sticker_pack as p')
    .join('webhook as w', 'w.owner_id', 'p.owner_id')
    .where({ 'p.id': packId, 'p.status': 'published' })
    .whereNull('w.disabled_at')
    .orderBy('w.id')
    .select<{ webhookId: string; events: unknown; packKey: string; version: number }[]>({
      webhookId: 'w.id',
      events: 'w.events',
      packKey: 'p.pack_key',
      version: 'p.version',
    });
  return rows.map((row) => ({ ...row, events: fromJsonColumn(row.events) as string[] }));
}

/**
 * Of these webhooks those that are told the same of the pack already, by a message that nobody has begun to send: whoever gets it
 * then sees what `trx` has changed as well. Nobody begins before `trx` has ended.
 */
export async function webhooksStillToTell(
  trx: Knex.Transaction,
  { webhookIds, packId, type }: { webhookIds: string[]; packId: string; type: string },
): Promise<Set<string>> {
  const rows = await trx('webhook_message')
    .whereIn('webhook_id', webhookIds)
    .andWhere({ pack_id: packId, type, is_tried: 0 })
    .orderBy('id')
    .forUpdate()
    .select<{ webhook_id: string }[]>('webhook_id');
  return new Set(rows.map((row) => row.webhook_id));
}

/** Before the first attempt; waits for a change that counts on this message. */
export async function markTried(db: Knex, messageId: string): Promise<void> {
  await db('webhook_message').where({ message_id: messageId, is_tried: 0 }).update({ is_tried: 1 });
}

export type NewMessage = { messageId: string; webhookId: string; packId: string; type: string; data: object };

export async function insertMessages(trx: Knex.Transaction, messages: NewMessage[]): Promise<void> {
  await trx('webhook_message').insert(
    messages.map(({ messageId, webhookId, packId, type, data }) => ({
      ...{ message_id: messageId, webhook_id: webhookId, pack_id: packId, type },
      data: JSON.stringify(data),
    })),
  );
}

export type Message = {
  webhookId: string;
  type: string;
  data: object;
  createdAt: Date;
  /** Null: the webhook is gone, or disabled. */
  receiver: { ownerId: string; url: string; secret: string } | null;
};

export async function findMessage(db: Knex, messageId: string): Promise<Message | null> {
  const row = await db('webhook_message as m')
    .leftJoin('webhook as w', 'w.id', 'm.webhook_id')
    .where({ 'm.message_id': messageId })
    .first<
      | {
          webhook_id: string;
          type: string;
          data: unknown;
          created_at: Date;
          owner_id: string | null;
          url: string | null;
          secret: string | null;
          disabled_at: Date | null;
        }
      | undefined
    >('m.webhook_id', 'm.type', 'm.data', 'm.created_at', 'w.owner_id', 'w.url', 'w.secret', 'w.disabled_at');
  if (!row) return null;
  const { owner_id: ownerId, url, secret } = row;
  return {
    webhookId: row.webhook_id,
    type: row.type,
    data: fromJsonColumn(row.data) as object,
    createdAt: row.created_at,
    receiver:
      ownerId === null || url === null || secret === null || row.disabled_at !== null ? null : { ownerId, url, secret },
  };
}

/** Null: it was settled meanwhile. Its webhook is locked as well, if there still is one. */
export async function lockMessage(trx: Knex.Transaction, webhookId: string, messageId: string): Promise<true | null> {
  await trx('webhook').where({ id: webhookId }).forUpdate().first('id');
  const row: unknown = await trx('webhook_message').where({ message_id: messageId }).forUpdate().first('id');
  return row === undefined ? null : true;
}

const messagesAtOnce = 1_000;

/** Takes messages out with their work states; sweeps must not look for them again. */
export async function forgetMessages(
  trx: Knex.Transaction,
  which: { webhook_id: string } | { message_id: string } | { ids: number[] },
): Promise<void> {
  const found = trx('webhook_message');
  const messageIds = await ('ids' in which ? found.whereIn('id', which.ids) : found.where(which)).pluck<string[]>(
    'message_id',
  );
  // What was written since is left to a worker, which finds that nobody is to be told.
  for (let from = 0; from < messageIds.length; from += messagesAtOnce)
    await trx('webhook_message')
      .whereIn('message_id', messageIds.slice(from, from + messagesAtOnce))
      .delete();
  await forgetSubjects(trx, 'webhook', messageIds);
}

export type AttemptResult = { httpStatus: number | null; error: string | null };

export async function recordTaken(
  trx: Knex.Transaction,
  kind: DatabaseKind,
  webhookId: string,
  httpStatus: number,
): Promise<void> {
  await trx('webhook')
    .where({ id: webhookId })
    .update({ ...attempted(trx, kind, { httpStatus, error: null }), failures_in_row: 0, failing_since: null });
}

/** How often in a row it has failed by now, and whether the first of these is at least `longMs` ago. */
export async function recordFailure(
  trx: Knex.Transaction,
  kind: DatabaseKind,
  webhookId: string,
  result: AttemptResult,
  longMs: number,
): Promise<{ failuresInRow: number; isLong: boolean }> {
  const row = await trx('webhook')
    .where({ id: webhookId })
    .forUpdate()
    .first<{ failures_in_row: number; is_long: number } | undefined>(
      'failures_in_row',
      trx.raw(`CASE WHEN failing_since <= ${sqlNowPlus(kind, -longMs)} THEN 1 ELSE 0 END AS is_long`),
    );
  const failuresInRow = (row?.failures_in_row ?? 0) + 1;
  await trx('webhook')
    .where({ id: webhookId })
    .update({
      ...attempted(trx, kind, result),
      failures_in_row: failuresInRow,
      failing_since: trx.raw(`COALESCE(failing_since, ${sqlNow(kind)})`),
    });
  return { failuresInRow, isLong: row?.is_long === 1 };
}

function attempted(trx: Knex.Transaction, kind: DatabaseKind, { httpStatus, error }: AttemptResult): object {
  return { attempted_at: trx.raw(sqlNow(kind)), attempt_http_status: httpStatus, attempt_error: error };
}

/** It is told nothing more, also not what waited. */
export async function disableWebhook(
  trx: Knex.Transaction,
  kind: DatabaseKind,
  webhookId: string,
  reason: string,
): Promise<void> {
  await trx('webhook')
    .where({ id: webhookId })
    .whereNull('disabled_at')
    .update({ disabled_at: trx.raw(sqlNow(kind)), disabled_reason: reason });
  await forgetMessages(trx, { webhook_id: webhookId });
}
