import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  fromJsonColumn,
  connectDatabase,
  createLogger,
  createRetention,
  createWakeups,
  migrateUp,
} from '@omnizap/runtime';
import type { Database, Wakeups } from '@omnizap/runtime';
import type { TaskOutcome } from '@omnizap/tasks';
import { createTestDatabase, testDatabaseKinds, type TestDatabase } from '@omnizap/testkit';
import { Webhook as Verifier } from 'standardwebhooks';
import { addPack, addSticker, flags } from '../test/builders.ts';
import { announce } from './announce.ts';
import { createCatalogueDepth } from './catalogue-depth-store.ts';
import { catalogRetention } from './catalog-retention.ts';
import { createDeliverWebhook } from './deliver-webhook.ts';
import { createModeration } from './moderation.ts';
import { createOwnerTurns } from './owner-turns.ts';
import { createPackEdits } from './pack-edits.ts';
import { createPacks, packUpdated, type Actor } from './packs.ts';
import { countDeadTasks } from './dead-task-store.ts';
import { keepDeadTask } from './dead-tasks.ts';
import { webhookEvents, type WebhookEvent } from './webhook-events.ts';
import type { SendWebhook, WebhookAnswer } from './webhook-sender.ts';
import type { Webhook } from './webhook-store.ts';
import { createWebhooks, type Webhooks } from './webhooks.ts';
import { createWorkStateStore, wantAgain } from './work-state-store.ts';

const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
const options = { isEnabled: true, allowPrivate: false };
const url = 'https://receiver.example/hook';
const hourMs = 3_600_000;

type Told = { type: string; data: { pack_key: string; version: number } };

describe.each(testDatabaseKinds())('webhooks on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;
  let wakeups: Wakeups;
  let webhooks: Webhooks;
  let owners = 0;
  let owner: Actor;

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl, { poolMax: 8 });
    await migrateUp(database);
    wakeups = createWakeups({ queueUrl: test.queueUrl, log });
    webhooks = createWebhooks({ database, turns: createOwnerTurns(database) }, options);
  });
  beforeEach(async () => {
    for (const table of ['webhook', 'webhook_message', 'work_state', 'domain_event_outbox'])
      await database.knex(table).delete();
    owner = { ownerId: `owner-${(owners += 1)}`, isAdmin: false };
  });
  afterAll(async () => {
    await database.close();
    await test.drop();
  });

  const subscribe = (events: WebhookEvent[] = [...webhookEvents], actor = owner) =>
    webhooks.create(actor, { url, events });
  const ownPack = async (status: 'draft' | 'published' = 'published') =>
    addPack(database, [await addSticker(database, { ownerId: owner.ownerId })], { ownerId: owner.ownerId, status });
  const messages = async () =>
    (
      await database
        .knex('webhook_message')
        .orderBy('id')
        .select<{ message_id: string; webhook_id: string; type: string; data: unknown }[]>()
    ).map(({ data, ...row }) => ({ ...row, data: fromJsonColumn(data) as Told['data'] }));
  const due = async (): Promise<string[]> =>
    (await createWorkStateStore(database).due('webhook', { olderThanMs: 0, after: null, limit: 100 })).map(
      ({ subjectId }) => subjectId,
    );
  const only = async (): Promise<Webhook | undefined> => (await webhooks.list(owner))[0];

  /** One message to tell, and how its receiver answers. */
  async function oneMessage(): Promise<string> {
    const pack = await ownPack();
    await createPackEdits({ database, flags, wakeups }).edit(owner, pack.packKey, { description: 'New' });
    return (await messages()).at(-1)?.message_id ?? '';
  }
  function deliver(
    subjectId: string,
    answer: WebhookAnswer | SendWebhook,
    attempt = 1,
    given = options,
  ): Promise<TaskOutcome> {
    const send: SendWebhook = typeof answer === 'function' ? answer : () => Promise.resolve(answer);
    return createDeliverWebhook(
      { database },
      given,
      send,
    )(
      { id: 'task', taskType: 'webhook', subjectId, attempt, requestId: undefined, eventId: undefined },
      { signal: new AbortController().signal, log, lookedAt: () => undefined },
    );
  }

  it('are told of what happens to published packs of their owner, and of nothing else', async () => {
    const all = await subscribe();
    const some = await subscribe(['pack.deleted']);
    await subscribe([...webhookEvents], { ownerId: 'somebody else', isAdmin: false });
    const packs = createPacks({ database, flags, wakeups });
    const edits = createPackEdits({ database, flags, wakeups });
    const { packKey } = await ownPack('draft');
    await edits.edit(owner, packKey, { description: 'Nobody sees this yet' });
    expect(await messages()).toEqual([]);

    await packs.publish(owner, packKey);
    await packs.publish(owner, packKey);
    await edits.edit(owner, packKey, { name: 'Shown' });
    const by = { actor: 'boss', reason: 'Because.' };
    await createModeration({ database, flags, wakeups }).decidePack(packKey, 'take-down', by);
    await packs.remove(owner, packKey);

    const told = await messages();
    expect(told.map((message) => [message.webhook_id, message.type])).toEqual([
      [all.webhook.id, 'pack.published'],
      [all.webhook.id, 'pack.updated'],
      [all.webhook.id, 'pack.moderated'],
      [all.webhook.id, 'pack.deleted'],
      [some.webhook.id, 'pack.deleted'],
    ]);
    for (const { data } of told) expect(data).toEqual({ pack_key: packKey, version: expect.any(Number) as unknown });
    expect((await due()).toSorted()).toEqual(told.map(({ message_id }) => message_id).toSorted());
    const events = await database.knex('domain_event_outbox').orderBy('id').pluck<unknown[]>('payload');
    expect(
      events.flatMap(
        (payload) => (fromJsonColumn(payload) as { webhook_message_ids?: string[] }).webhook_message_ids ?? [],
      ),
    ).toEqual(told.map(({ message_id }) => message_id));
  });

  it('are told once of changes that nobody was told of yet, and again of what changes from then on', async () => {
    await subscribe();
    const { packKey } = await ownPack();
    const edits = createPackEdits({ database, flags, wakeups });
    const edit = async (description: string): Promise<unknown> => edits.edit(owner, packKey, { description });
    for (const description of ['One', 'Two', 'Three']) await edit(description);
    const [first] = await messages();
    expect(await messages()).toHaveLength(1);

    // What happens while it is being sent may be missed by whoever gets it.
    const answered = deliver(first?.message_id ?? '', async () => {
      await edit('Four');
      return { httpStatus: 200 };
    });
    expect(await answered).toEqual({ status: 'done' });

    const left = await messages();
    expect(left.map(({ type }) => type)).toEqual(['pack.updated']);
    expect(left[0]?.message_id).not.toBe(first?.message_id);
  });

  it('of one owner are told one after the other, and keep nobody else waiting', async () => {
    await subscribe();
    const own = await oneMessage();
    const again = await oneMessage();
    const others = { ownerId: `${owner.ownerId}-other`, isAdmin: false };
    await subscribe([...webhookEvents], others);
    owner = others;
    const foreign = await oneMessage();
    const isSending = Promise.withResolvers<void>();
    const mayAnswer = Promise.withResolvers<void>();
    const handle = createDeliverWebhook({ database }, options, async ({ headers }) => {
      if (headers['webhook-id'] === own) {
        isSending.resolve();
        await mayAnswer.promise;
      }
      return { httpStatus: 200 };
    });
    const tell = (subjectId: string): Promise<TaskOutcome> =>
      handle(
        { id: 'task', taskType: 'webhook', subjectId, attempt: 1, requestId: undefined, eventId: undefined },
        { signal: new AbortController().signal, log, lookedAt: () => undefined },
      );

    const slow = tell(own);
    await isSending.promise;
    expect((await tell(again)).status).toBe('retryAfter');
    expect((await tell(foreign)).status).toBe('done');
    mayAnswer.resolve();
    expect((await slow).status).toBe('done');
    expect((await tell(again)).status).toBe('done');
  });

  it('are told if and only if the change happened', async () => {
    await subscribe();
    const pack = await ownPack();
    const failing = database.transaction(async (trx) => {
      await announce(trx, { database, flags }, [packUpdated(pack.id, 'edited', [])], undefined);
      expect(await trx('webhook_message').pluck('type')).toEqual(['pack.updated']);
      throw new Error('the change failed');
    });

    await expect(failing).rejects.toThrow('the change failed');
    expect([await messages(), await due()]).toEqual([[], []]);
  });

  it('find what is to be told without the outbox', async () => {
    await subscribe();
    const pack = await ownPack();
    const deps = { database, flags: { isOn: () => false } };
    await database.transaction((trx) => announce(trx, deps, [packUpdated(pack.id, 'edited', [])], undefined));

    expect(await due()).toEqual((await messages()).map(({ message_id }) => message_id));
    expect(await database.knex('domain_event_outbox').pluck('id')).toEqual([]);
  });

  it('sign what they send, and leave nothing behind of what was taken', async () => {
    const { secret } = await subscribe();
    const id = await oneMessage();
    const sent: Parameters<SendWebhook>[0][] = [];
    const outcome = await deliver(id, (request) => {
      sent.push(request);
      return Promise.resolve({ httpStatus: 202 });
    });

    expect(outcome).toEqual({ status: 'done' });
    expect(sent.map((request) => [request.url, request.headers['webhook-id']])).toEqual([[url, id]]);
    const verified = new Verifier(secret).verify(sent[0]?.body ?? '', sent[0]?.headers ?? {}) as Told;
    expect(verified.type).toBe('pack.updated');
    expect([await messages(), await createWorkStateStore(database).read('webhook', id)]).toEqual([[], null]);
    expect(await only()).toMatchObject({ failuresInRow: 0, lastAttempt: { httpStatus: 202, error: null } });
    expect((await deliver(id, { httpStatus: 202 })).status).toBe('skipped');
  });

  it('keep what failed for the queue to try again, hidden from sweeps until then', async () => {
    await subscribe();
    const id = await oneMessage();

    await expect(deliver(id, { httpStatus: 500 })).rejects.toThrow('The receiver answered 500.');
    expect(await due()).toEqual([]);
    await expect(deliver(id, { problem: 'No answer.' }, 2)).rejects.toThrow('No answer.');
    expect(await only()).toMatchObject({ failuresInRow: 2, lastAttempt: { httpStatus: null, error: 'No answer.' } });
    expect(await deliver(id, { httpStatus: 200 }, 3)).toEqual({ status: 'done' });
    expect(await only()).toMatchObject({ failuresInRow: 0, disabled: null });
  });

  it('tell a message that failed for good after a redrive, under the same id', async () => {
    const { secret } = await subscribe();
    const id = await oneMessage();
    const error = await deliver(id, { httpStatus: 500 }, 16).then(() => '', String);
    const payload = { subject_id: id };
    const task = { id: '00000000-0000-4000-8000-000000000001', taskType: 'webhook', subjectId: id, attempts: 16 };
    await keepDeadTask(database, { ...task, error, payload });
    expect(await due()).toEqual([]);
    // Whoever runs the receiver is not whoever reads the gauge.
    const depth = createCatalogueDepth(database, { name: 'emoji', version: '1' });
    expect([await countDeadTasks(database.knex), (await depth()).deadTasks]).toEqual([1, 0]);
    await database.transaction((trx) =>
      wantAgain(trx, kind, [{ taskType: 'webhook', subjectId: id, wantedAt: new Date() }]),
    );

    const row = await database.knex('sticker_worker_task_dlq').where({ subject_id: id }).first<object>();
    expect(JSON.stringify(row)).not.toContain(secret.slice('whsec_'.length));
    expect(await deliver(id, { httpStatus: 200 })).toEqual({ status: 'done' });
  });

  it('end at 410 with everything that waited, and are told nothing afterwards', async () => {
    await subscribe();
    const id = await oneMessage();
    await oneMessage();
    expect(await messages()).toHaveLength(2);

    expect((await deliver(id, { httpStatus: 410 })).status).toBe('rejected');
    expect([await messages(), await due()]).toEqual([[], []]);
    await ownPack();
    await oneMessage();
    expect(await messages()).toEqual([]);
    expect((await only())?.disabled?.reason).toMatch(/410/);
  });

  it('end after fifty failures in a row, but not within an outage of an hour', async () => {
    await subscribe();
    const id = await oneMessage();
    await database
      .knex('webhook')
      .update({ failures_in_row: 60, failing_since: new Date(Date.now() - hourMs + 60_000) });
    await expect(deliver(id, { httpStatus: 503 })).rejects.toThrow('503');
    expect((await only())?.disabled).toBeNull();

    await database
      .knex('webhook')
      .update({ failures_in_row: 48, failing_since: new Date(Date.now() - hourMs - 1_000) });
    await expect(deliver(id, { httpStatus: 503 })).rejects.toThrow('503');
    expect((await deliver(id, { httpStatus: 503 })).status).toBe('rejected');
    expect(await only()).toMatchObject({
      failuresInRow: 50,
      disabled: { reason: expect.stringContaining('50') as unknown },
    });
    expect(await messages()).toEqual([]);
  });

  it('are called for nobody once they are deleted or turned off', async () => {
    const { webhook } = await subscribe();
    const calls: unknown[] = [];
    const call: SendWebhook = (request) => {
      calls.push(request);
      return Promise.resolve({ httpStatus: 200 });
    };
    const id = await oneMessage();
    expect((await deliver(id, call, 1, { ...options, isEnabled: false })).status).toBe('skipped');
    const second = await oneMessage();
    await expect(webhooks.remove({ ownerId: 'somebody else', isAdmin: false }, webhook.id)).rejects.toThrow(
      /no webhook/,
    );
    await webhooks.remove(owner, webhook.id);
    expect((await deliver(second, call)).status).toBe('skipped');

    expect([calls, await messages(), await due()]).toEqual([[], [], []]);
  });

  it('are five of an owner at most, however many are asked for at once', async () => {
    const asked = await Promise.allSettled(Array.from({ length: 8 }, () => subscribe()));

    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
    expect(await webhooks.list(owner)).toHaveLength(5);
  });

  it('forget with their work what nobody took in thirty days', async () => {
    await subscribe();
    const [old, young] = [await oneMessage(), await oneMessage()];
    await database
      .knex('webhook_message')
      .where({ message_id: old })
      .update({ created_at: new Date(Date.now() - 31 * 24 * hourMs) });
    const retention = createRetention({ database, log }, { policies: catalogRetention(kind), archiveDir: '/nowhere' });

    expect(await retention.run('webhook-messages')).toMatchObject([{ removed: 1, isFinished: true }]);
    expect([(await messages()).map(({ message_id }) => message_id), await due()]).toEqual([[young], [young]]);
  });
});
