/** Moderation by command, judged by what visitors then get over HTTP, and by the tables when the API is down. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createCatalogueClient, drawPng, startFleet, testDatabaseKinds } from '@omnizap/testkit';
import type { CatalogueClient, Fleet, Owner } from '@omnizap/testkit';
import { createHash } from 'node:crypto';
import { userInfo } from 'node:os';
import { runOps, type Run } from './run-ops.ts';

type Page<T> = { data: T[]; next_cursor: string | null };
type Done<T> = { data: T[]; failed: { code: string; error: string }[] };
type Ban = { ban_id: string; kind: string; owner_id: string | null; affected: number; revoked_by: string | null };
const why = ['--reason', 'Somebody looked at it'];

describe.each(testDatabaseKinds())('npm run ops -- moderation on %s', (kind) => {
  let fleet: Fleet;
  let anybody: CatalogueClient;
  let seeds = 700;

  beforeAll(async () => {
    fleet = await startFleet(kind, { processes: ['api'], env: { STICKER_MODERATION_POLICY: 'hold' } });
    anybody = createCatalogueClient(fleet.apiUrl);
  }, 180_000);
  afterAll(async () => await fleet?.stop(), 60_000);

  const ops = (...args: string[]): Promise<Run> => runOps(fleet.env, 'moderation', ...args);
  const statusOf = async (packKey: string): Promise<number> =>
    (await anybody.get(`/api/sticker-packs/${packKey}`)).status;

  type Made = { packKey: string; stickerId: string; owner: Owner; own: CatalogueClient; sha256: string };
  async function publishPack(by?: Owner): Promise<Made> {
    const owner = by ?? (await fleet.createOwner());
    const own = createCatalogueClient(fleet.apiUrl, owner.key);
    const bytes = drawPng((seeds += 1));
    const packKey = await own.createPack({ name: 'Waiting', publisher: 'Somebody' });
    const [stickerId = ''] = await own.addStickers(packKey, [{ bytes, emojis: ['🙂'] }]);
    expect((await own.publish(packKey)).status).toBe(200);
    return { packKey, stickerId, owner, own, sha256: createHash('sha256').update(bytes).digest('hex') };
  }

  it('lists what is held page by page, shows a pack to be judged, and lets it be seen', async () => {
    const [first, second] = [await publishPack(), await publishPack()];
    expect([await statusOf(first.packKey), await statusOf(second.packKey)]).toEqual([404, 404]);

    const keys: string[] = [];
    for (let cursor: string[] = []; ;) {
      const page = (await ops('queue', '--json', '--limit', '1', ...cursor)).json<Page<{ pack_keys: string[] }>>();
      keys.push(...page.data.flatMap((entry) => entry.pack_keys));
      if (page.next_cursor === null) break;
      cursor = ['--cursor', page.next_cursor];
    }
    expect(keys).toEqual([first.packKey, second.packKey]);
    const table = await ops('queue');
    expect(table.out).toMatch(new RegExp(`^pack:${first.packKey} +${first.owner.ownerId} +.* ago`, 'm'));

    const approved = await ops('approve', first.packKey, `pack:${second.packKey}`, ...why, '--actor', 'ana');
    expect([approved.code, approved.out.trim()]).toEqual([
      0,
      `pack:${first.packKey} is approved.\npack:${second.packKey} is approved.`,
    ]);
    expect([await statusOf(first.packKey), await statusOf(second.packKey)]).toEqual([200, 200]);
    expect((await ops('show', first.packKey, '--json')).json()).toMatchObject({
      data: {
        ...{ pack_key: first.packKey, owner_id: first.owner.ownerId, moderation: { state: 'approved', reason: null } },
        stickers: [{ sticker_id: first.stickerId, moderation: { state: 'approved' } }],
        actions: [{ action: 'pack.approve', actor: 'cli:ana', reason: 'Somebody looked at it' }],
      },
    });
  });

  it('takes packs and stickers away and brings them back; what is refused keeps nobody from their turn', async () => {
    const { packKey, stickerId, own } = await publishPack();
    const held = await publishPack();
    await ops('approve', packKey, ...why);

    const down = await ops('take-down', 'no-such-pack', packKey, `sticker:${stickerId}`, ...why, '--yes', '--json');
    expect(down.code).toBe(1);
    expect(down.json<Done<object>>()).toMatchObject({
      data: [
        { type: 'pack', pack_key: packKey, moderation: { state: 'taken_down', reason: 'Somebody looked at it' } },
        { type: 'sticker', sticker_id: stickerId, moderation: { state: 'taken_down' } },
      ],
      failed: [{ code: 'pack-not-found' }],
    });
    expect(await statusOf(packKey)).toBe(404);
    expect(await own.pack(packKey)).toMatchObject({ moderation: { reason: 'Somebody looked at it' } });
    const shown = await ops('show', packKey);
    for (const part of [/^moderation +taken_down$/m, /^sticker:\S+ +pending +taken_down/m, /pack\.take-down +cli:/])
      expect(shown.out).toMatch(part);

    const wrong = await ops('approve', packKey, ...why);
    expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining('restore it instead')]);
    expect((await ops('restore', packKey, `sticker:${stickerId}`, ...why)).code).toBe(0);
    expect(await statusOf(packKey)).toBe(200);
    expect((await ops('reject', held.packKey, ...why, '--yes')).out.trim()).toBe(`pack:${held.packKey} is rejected.`);
  });

  it('shows what visitors reported, and dismisses single reports', async () => {
    const { packKey } = await publishPack();
    await ops('approve', packKey, ...why);
    const sent = await anybody.call('POST', `/api/sticker-packs/${packKey}/report`, {
      body: { reason: 'spam', details: 'The same\u202e everywhere' },
    });
    expect(sent.status).toBe(202);

    const { data } = (await ops('queue', '--reported', '--json')).json<
      Page<{ pack_key: string; reports: { report_id: number }[] }>
    >();
    const reported = data.find((group) => group.pack_key === packKey);
    const id = String(reported?.reports[0]?.report_id);
    const table = await ops('queue', '--reported');
    expect(table.out).toContain(`${id} spam "The same� everywhere"`);
    expect((await ops('dismiss', id, ...why)).out.trim()).toBe(`Report ${id} is dismissed.`);
    expect((await ops('queue', '--reported', '--json')).out).not.toContain(packKey);
  });

  it('bans owners and bytes, once, and gives back what a ban took', async () => {
    const { packKey, owner, own, sha256 } = await publishPack();
    await ops('approve', packKey, ...why);

    const banned = await ops('ban', `owner:${owner.ownerId}`, `sha256:${sha256}`, ...why, '--yes', '--json');
    const [ofOwner, ofBytes] = banned.json<Done<Ban>>().data;
    expect([ofOwner?.kind, ofOwner?.affected, ofBytes?.kind, ofBytes?.affected]).toEqual(['owner', 1, 'sticker', 1]);
    expect(await statusOf(packKey)).toBe(404);
    expect((await own.call('POST', '/api/sticker-packs', { body: { name: 'More' } })).status).toBe(403);
    const again = await ops('ban', `owner:${owner.ownerId}`, ...why, '--yes');
    expect(again.out).toContain(`was banned already (${ofOwner?.ban_id})`);
    const list = await ops('bans', '--active');
    expect(list.out).toMatch(new RegExp(`^${ofOwner?.ban_id} +owner:${owner.ownerId} +in force`, 'm'));

    const over = await ops('unban', `owner:${owner.ownerId}`, ofBytes?.ban_id ?? '', ...why, '--json');
    expect([over.code, over.json<Done<Ban>>().data.map((ban) => [ban.affected, ban.revoked_by])]).toEqual([
      0,
      [
        [0, `cli:${userInfo().username}`],
        [0, `cli:${userInfo().username}`],
      ],
    ]);
    expect(await statusOf(packKey)).toBe(200);
    expect((await ops('unban', `owner:${owner.ownerId}`, ...why)).err).toContain('There is no ban in force of owner:');
    expect((await ops('ban', 'owner:admin', ...why, '--yes')).err).toContain('is part of this system');
    expect((await ops('bans', '--active', '--json')).json<Page<Ban>>().data).toEqual([]);
  });

  it('works while the API is down', async () => {
    const { packKey } = await publishPack();
    await fleet.kill(fleet.process('api'));

    expect((await ops('queue')).out).toContain(`pack:${packKey}`);
    expect((await ops('take-down', packKey, ...why, '--yes')).code).toBe(0);

    const { knex } = fleet.database;
    const { id, ...state } = await knex('sticker_pack')
      .where({ pack_key: packKey })
      .first<Record<string, string>>('id', 'moderation', 'moderation_reason');
    expect(state).toEqual({ moderation: 'taken_down', moderation_reason: 'Somebody looked at it' });
    const events = await knex('domain_event_outbox').where({ aggregate_id: id }).orderBy('id').pluck('payload');
    expect(JSON.stringify(events.at(-1))).toContain('moderated');
    const last = await knex('admin_action_audit')
      .where({ target_id: packKey })
      .first<object>('actor', 'action', 'reason');
    expect(last).toEqual({
      ...{ actor: `cli:${userInfo().username}`, action: 'pack.take-down' },
      reason: 'Somebody looked at it',
    });
  });
});
