/**
 * Tells one receiver one message. At least once: the answer is recorded after it came, so a kill in between tells it again, under
 * the same id. A message that was taken leaves no row; one that nobody took in all its attempts is a dead letter like any task.
 */
import { AppError, inSpan, type Database, type Transaction } from '@omnizap/runtime';
import type { TaskHandler, TaskOutcome } from '@omnizap/tasks';
import { longestWaitMs } from './task-settings.ts';
import { createVersionedHandler, type Look } from './versioned-handler.ts';
import { createWebhookSender, type SendWebhook, type WebhookAnswer, type WebhookRequest } from './webhook-sender.ts';
import { signatureHeaders } from './webhook-signature.ts';
import {
  disableWebhook,
  findMessage,
  forgetMessages,
  lockMessage,
  markTried,
  recordFailure,
  recordTaken,
  type AttemptResult,
  type Message,
} from './webhook-store.ts';
import type { WebhookOptions } from './webhook-url.ts';
import { createWorkStateStore, postponeSweeps } from './work-state-store.ts';

/** A receiver that fails so often in a row, over at least that time, is told nothing more: nobody looks after it. */
const failuresToDisable = 50;
const disableAfterMs = 3_600_000;
/** Until an owner's next message has its turn. */
const turnMs = 1_000;
const userAgent = 'OmniZap-Stickers-Webhooks';
const goneStatus = 410;

export function createDeliverWebhook(
  { database }: { database: Database },
  options: WebhookOptions,
  send: SendWebhook = createWebhookSender(options),
): TaskHandler {
  const { knex, kind } = database;
  /** Owners one of whose receivers is being told by this process: a slow one keeps its owner's other messages waiting, nobody else's. */
  const owners = new Set<string>();

  return createVersionedHandler(createWorkStateStore(database), 'webhook', async (look) => {
    const message = await findMessage(knex, look.subjectId);
    if (!message) return look.idle('there is no such message');
    const { receiver, webhookId } = message;
    const settle = (write: Parameters<typeof look.commit<true>>[1]): Promise<TaskOutcome> =>
      look.commit((trx) => lockMessage(trx, webhookId, look.subjectId), write);

    if (receiver === null || !options.isEnabled)
      return settle(async (trx) => {
        await forgetMessages(trx, { message_id: look.subjectId });
        return { status: 'skipped', reason: receiver === null ? 'nobody is to be told any more' : 'webhooks are off' };
      });

    const { ownerId } = receiver;
    if (owners.has(ownerId))
      return { status: 'retryAfter', milliseconds: turnMs, reason: 'another message of the owner is being sent' };
    owners.add(ownerId);
    const answer = await markTried(knex, look.subjectId)
      .then(() => sendTraced(requestOf(look.subjectId, message, receiver), look.signal))
      .finally(() => owners.delete(ownerId));
    const result = resultOf(answer);
    if (result.error === null)
      return settle(async (trx) => {
        await recordTaken(trx, kind, webhookId, result.httpStatus ?? 0);
        await forgetMessages(trx, { message_id: look.subjectId });
        return { status: 'done' };
      });
    if (result.httpStatus === goneStatus)
      return settle(async (trx) => {
        await recordFailure(trx, kind, webhookId, result, disableAfterMs);
        await disableWebhook(trx, kind, webhookId, 'The receiver answered 410 Gone.');
        return { status: 'rejected', reason: 'the receiver is gone' };
      });
    return keepFailure(look, webhookId, result);
  });

  /** The receiver is a stranger, and is not told our trace: `traceparent` is not sent. Its path may be a secret of the owner's. */
  async function sendTraced(request: WebhookRequest, signal: AbortSignal): Promise<WebhookAnswer> {
    const { hostname, port } = new URL(request.url);
    const attributes = {
      ...{ 'http.request.method': 'POST', 'server.address': hostname },
      ...(port === '' ? {} : { 'server.port': Number(port) }),
    };
    return inSpan({ name: 'POST', kind: 'client', attributes }, async (span) => {
      const answer = await send(request, signal);
      if ('httpStatus' in answer) span.set({ 'http.response.status_code': answer.httpStatus });
      const { error } = resultOf(answer);
      if (error !== null) span.fail('httpStatus' in answer ? String(answer.httpStatus) : 'unavailable');
      return answer;
    });
  }

  /** @throws AppError `unavailable`, for the queue to try again, unless the webhook is disabled now */
  async function keepFailure(
    { task, subjectId }: Look<Transaction>,
    webhookId: string,
    result: AttemptResult,
  ): Promise<TaskOutcome> {
    const isDisabled = await database.transaction(async (trx) => {
      const { failuresInRow, isLong } = await recordFailure(trx, kind, webhookId, result, disableAfterMs);
      if (failuresInRow >= failuresToDisable && isLong) {
        await disableWebhook(trx, kind, webhookId, `The last ${failuresInRow} attempts failed.`);
        return true;
      }
      await postponeSweeps(trx, kind, { taskType: 'webhook', subjectId }, longestWaitMs('webhook', task.attempt));
      return false;
    });
    if (isDisabled) return { status: 'rejected', reason: 'the receiver has failed for too long' };
    throw new AppError('unavailable', `Webhook ${webhookId} did not take its message: ${result.error}`);
  }
}

function requestOf(messageId: string, message: Message, receiver: { url: string; secret: string }) {
  const { type, data, createdAt } = message;
  const body = JSON.stringify({ type, timestamp: createdAt.toISOString(), data });
  const timestamp = Math.floor(Date.now() / 1_000);
  return {
    url: receiver.url,
    headers: {
      ...{ 'Content-Type': 'application/json', 'User-Agent': userAgent },
      ...signatureHeaders(receiver.secret, { id: messageId, timestamp, body }),
    },
    body,
  };
}

/** Everything but 2xx is a failure; also a redirect, which is not followed. */
function resultOf(answer: WebhookAnswer): AttemptResult {
  if ('problem' in answer) return { httpStatus: null, error: answer.problem };
  const { httpStatus } = answer;
  const isTaken = httpStatus >= 200 && httpStatus < 300;
  return { httpStatus, error: isTaken ? null : `The receiver answered ${httpStatus}.` };
}
