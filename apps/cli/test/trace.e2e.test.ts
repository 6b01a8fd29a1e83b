/** The story of a sticker as an operator reads it, from the databases alone: also while nobody works, and after the API is gone. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { keepDeadTask } from '@omnizap/catalog';
import { createCatalogueClient, drawPng, freePort, startFleet, testDatabaseKinds, waitFor } from '@omnizap/testkit';
import type { CatalogueClient, Fleet } from '@omnizap/testkit';
import { v7 as uuidv7 } from 'uuid';
import { runOps, type Run } from './run-ops.ts';

type LineJson = {
  at: string;
  after_ms: number;
  took_ms: number | null;
  what: string;
  by: string;
  waits: string | null;
};
type TraceJson = {
  data: {
    sticker_ids: string[];
    request_ids: string[];
    gone_sticker_ids: string[];
    is_cut: boolean;
    queues_error: string | null;
    is_over: boolean | null;
    lines: LineJson[];
  };
};

const patience = { timeoutMs: 60_000, intervalMs: 250 };

describe.each(testDatabaseKinds())('npm run ops -- trace on %s', (kind) => {
  let fleet: Fleet;
  let own: CatalogueClient;
  let packKey: string;

  beforeAll(async () => {
    fleet = await startFleet(kind, {
      processes: ['api', 'relay', 'worker-classification', 'worker-curation', 'worker-rebuild'],
    });
    own = createCatalogueClient(fleet.apiUrl, (await fleet.createOwner()).key);
    packKey = await own.createPack({ name: 'Told', visibility: 'public' });
  }, 180_000);
  afterAll(async () => await fleet?.stop(), 60_000);

  const trace = (...args: string[]): Promise<Run> => runOps(fleet.env, 'trace', ...args);
  const told = async (id: string): Promise<TraceJson['data']> => (await trace(id, '--json')).json<TraceJson>().data;
  async function addSticker(color: number, requestId: string): Promise<string> {
    const answer = await own.addSticker(packKey, { bytes: drawPng(color), emojis: ['🎈'], requestId });
    expect(answer.status).toBe(202);
    return answer.json<{ data: { sticker_id: string } }>().data.sticker_id;
  }
  const untilTold = (id: string, isIt: (story: TraceJson['data']) => boolean): Promise<TraceJson['data']> =>
    waitFor(async () => {
      const story = await told(id);
      return isIt(story) ? story : null;
    }, patience);

  it('tells the way of a sticker by its id and by its request, in order and with who did what', async () => {
    const id = await addSticker(600, 'way-1');
    const story = await untilTold(
      id,
      ({ is_over: isOver, lines }) => isOver === true && lines.some(({ what }) => what.startsWith('sticker of')),
    );
    const byRequest = await told('way-1');

    expect(story).toMatchObject({ sticker_ids: [id], request_ids: ['way-1'] });
    const at = (part: RegExp): number => story.lines.findIndex(({ what }) => part.test(what));
    const steps = [
      /^STICKER_ASSET_CREATED \(event \d+\) of sticker_asset .* appended/,
      /^STICKER_ASSET_CREATED .* relayed/,
      /^task classification of .* done/,
      /^STICKER_CLASSIFIED .* appended/,
      /^STICKER_CLASSIFIED .* relayed/,
      /^STICKER_READY .* appended/,
    ].map(at);
    expect(steps).not.toContain(-1);
    // Of what two clocks have written down within a millisecond, either may be first.
    const [appended = 0, relayed = 0, , classified = 0, handedOn = 0, ready = 0] = steps;
    expect([appended < relayed, relayed < classified, classified < handedOn, handedOn < ready]).toEqual(
      Array.from({ length: 4 }, () => true),
    );
    const task = story.lines[at(/^task classification/)];
    expect(task).toMatchObject({ by: 'worker-classification', waits: null });
    expect(task?.took_ms).toBeGreaterThanOrEqual(0);
    expect(story.lines[relayed]).toMatchObject({ by: 'relay' });
    for (const line of story.lines)
      expect(line.after_ms).toBe(Date.parse(line.at) - Date.parse(story.lines[0]?.at ?? ''));
    const whats = byRequest.lines.map(({ what }) => what);
    for (const { what } of story.lines.filter(({ what }) => /\(event|^task/.test(what))) expect(whats).toContain(what);
    // The pack's task may be one that waited already, of the request that made the pack.
    await untilTold(packKey, ({ lines }) => lines.some(({ what }) => /^task rebuild of .* done/.test(what)));
  });

  it('says where it waits: paused, then over', async () => {
    await runOps(fleet.env, 'queues', 'pause', 'classification', '--reason', 'a look');
    const id = await addSticker(601, 'waits-1');
    const story = await untilTold(id, ({ lines }) => lines.some(({ waits }) => /are paused/.test(waits ?? '')));
    const text = await trace(id);

    expect(story.is_over).toBe(false);
    expect(text.out).toMatch(/^Where it waits\n.*task classification of .*: tasks of type classification are paused/m);
    await runOps(fleet.env, 'queues', 'resume', 'classification', '--reason', 'seen');
    await untilTold(id, ({ is_over: isOver }) => isOver === true);
    expect((await trace(id)).out).toContain('Nothing of it waits.');
  });

  it('finds the task that waits for a pack although an earlier request has put it there', async () => {
    await runOps(fleet.env, 'queues', 'pause', 'rebuild', '--reason', 'a look');
    const asked = async (method: string, path: string, body: object, requestId: string): Promise<string> => {
      const answer = await own.call(method, path, { body, headers: { 'X-Request-Id': requestId } });
      expect([200, 201]).toContain(answer.status);
      return answer.json<{ data: { pack_key: string } }>().data.pack_key;
    };
    const key = await asked('POST', '/api/sticker-packs', { name: 'Merged', visibility: 'public' }, 'merged-1');
    const isPaused = ({ waits }: LineJson): boolean => /type rebuild are paused/.test(waits ?? '');
    await untilTold('merged-1', ({ lines }) => lines.some(isPaused));
    await asked('PATCH', `/api/sticker-packs/${key}`, { name: 'Again' }, 'merged-2');
    const story = await untilTold('merged-2', ({ lines }) => lines.some(({ what }) => what.endsWith('relayed')));

    expect(story).toMatchObject({ request_ids: ['merged-2'], is_over: false });
    expect(story.lines.flatMap(({ waits }) => waits ?? [])).toEqual([
      expect.stringContaining('tasks of type rebuild are paused'),
    ]);
    await runOps(fleet.env, 'queues', 'resume', 'rebuild', '--reason', 'seen');
    await untilTold('merged-2', ({ is_over: isOver }) => isOver === true);
  });

  it('names a dead letter with the command that shows it', async () => {
    const id = await addSticker(602, 'dead-1');
    await untilTold(id, ({ is_over: isOver }) => isOver === true);
    const [error, payload] = ['Error: the disk is full', { subject_id: id, request_id: 'dead-1' }];
    const task = { id: uuidv7(), taskType: 'classification', subjectId: id, attempts: 9, error, payload };
    await keepDeadTask(fleet.database, task);
    const { lines } = await told('dead-1');
    const dead = lines.find(({ waits }) => waits?.startsWith('dead letter'));

    expect(dead?.what).toBe(`classification of ${id} failed for good after 9 attempts: ${error}`);
    const [, name = ''] = /^dead letter (tasks:\d+): npm run ops -- dlq show \1$/.exec(dead?.waits ?? '') ?? [];
    expect((await runOps(fleet.env, 'dlq', 'show', name)).out).toContain('the disk is full');
    await runOps(fleet.env, 'dlq', 'redrive', name, '--yes', '--reason', 'disk grown');
    const after = await untilTold(id, ({ is_over: isOver }) => isOver === true);
    expect(after.lines.map(({ what }) => what)).toContain(
      `dead letter redriven tasks classification:${id}: disk grown`,
    );
  });

  it('tells what the catalogue knows while the queues are away, and does not say that it is over', async () => {
    const id = await addSticker(603, 'away-1');
    await untilTold(id, ({ is_over: isOver }) => isOver === true);
    const queues = `postgresql://nobody:none@127.0.0.1:${await freePort()}/none`;
    const env = { ...fleet.env, QUEUE_DATABASE_URL: queues };
    const [json, text] = [await runOps(env, 'trace', id, '--json'), await runOps(env, 'trace', id)];
    const { data } = json.json<TraceJson>();

    expect([json.code, text.code]).toEqual([0, 0]);
    expect(data).toMatchObject({ is_over: null, is_cut: false, queues_error: expect.stringContaining('ECONNREFUSED') });
    expect(data.lines.map(({ what }) => what)).toContain(`sticker ${id} taken in`);
    expect(text.out).toContain('\nThe queues could not be asked: ');
    expect(text.out).not.toContain('Nothing of it waits');
    expect(text.out).not.toContain('none@');
  });

  it('keeps what stands in an error from steering the terminal, and tells a request that is called like a pack', async () => {
    await fleet.database.knex('domain_event_outbox').insert({
      ...{ event_type: 'PACK_UPDATED', aggregate_type: 'sticker_pack', aggregate_id: uuidv7(), request_id: packKey },
      ...{ payload: '{}', shard: 0, status: 'failed', available_at: new Date('2099-01-01T00:00:00Z') },
      last_error: 'Error: \u001b[2J\u202esorry',
    });
    const { out } = await trace(packKey, '--request');

    expect(out).toMatch(/^Where it waits\n.*waits for a retry until 2099-01-01T00:00:00.000Z: Error: �\[2J�sorry$/m);
    for (const steering of ['\u001b', '\u202e']) expect(out).not.toContain(steering);
  });

  it('ends with 1 for what nothing is known of, and with 2 for what is no id', async () => {
    const [unknown, none, wrong] = await Promise.all([trace('nothing-of-this-name'), trace(), trace('two words')]);

    expect([unknown.code, none.code, wrong.code]).toEqual([1, 2, 2]);
    expect([unknown.out, none.out, wrong.out]).toEqual(['', '', '']);
    expect(unknown.err).toContain('Nothing is known of nothing-of-this-name');
  });
});
