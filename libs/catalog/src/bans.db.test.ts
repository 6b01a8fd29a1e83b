import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  connectDatabase,
  createLogger,
  createWakeups,
  migrateUp,
  rowsOf,
  type Database,
  type Wakeups,
} from '@omnizap/runtime';
import { createTestDatabase, testDatabaseKinds, waitFor, type TestDatabase } from '@omnizap/testkit';
import { v7 as uuidv7 } from 'uuid';
import { addPack, addSticker, digestOf, flags } from '../test/builders.ts';
import { assertOwnerMayWrite } from './ban-store.ts';
import { createBans, type Bans } from './bans.ts';
import { createModeration, type Decider, type Moderation } from './moderation.ts';
import { createPackKey } from './pack-key.ts';
import { insertPack } from './pack-store.ts';
import { createPacks, type Actor, type NewPackInput, type Packs } from './packs.ts';

const log = createLogger({ level: 'silent', format: 'json', process: 'test' });
const by: Decider = { actor: 'boss', reason: 'Because.' };
const input: NewPackInput = { name: 'Mine', publisher: 'Me', description: '', visibility: 'public', tags: [] };

/** A hash with the first `bits` bits turned. */
function turned(hash: string, bits: number): string {
  const mask = (1n << 256n) - (1n << BigInt(256 - bits));
  return (BigInt(`0x${hash}`) ^ mask).toString(16).padStart(64, '0');
}

describe.each(testDatabaseKinds())('bans on %s', (kind) => {
  let test: TestDatabase;
  let database: Database;
  let wakeups: Wakeups;
  let bans: Bans;
  let moderation: Moderation;
  let packs: Packs;
  let owners = 0;

  beforeAll(async () => {
    test = await createTestDatabase(kind);
    database = connectDatabase(test.databaseUrl, { poolMax: 8 });
    await migrateUp(database);
    wakeups = createWakeups({ queueUrl: test.queueUrl, log });
    const deps = { database, flags, wakeups };
    bans = createBans({ ...deps, reservedOwners: ['admin'] });
    moderation = createModeration(deps);
    packs = createPacks(deps);
  });
  afterAll(async () => {
    await database.close();
    await test.drop();
  });
  afterEach(async () => {
    for (const { id } of (await bans.list({ limit: 100, beforeId: null, onlyActive: true })).bans)
      await bans.revoke(id, by);
  });

  const newOwner = (): Actor => ({ ownerId: `owner-${(owners += 1)}`, isAdmin: false });
  const states = async (table: string, ids: string[]): Promise<string[]> => {
    const rows = await database.knex(table).whereIn('id', ids).select<{ id: string; moderation: string }[]>();
    return ids.map((id) => rows.find((row) => row.id === id)?.moderation ?? 'gone');
  };
  const packStates = (ids: string[]): Promise<string[]> => states('sticker_pack', ids);
  const stickerStates = (ids: string[]): Promise<string[]> => states('sticker_asset', ids);

  it('take every pack of an owner, refuse what the owner writes, and give back exactly what they took', async () => {
    const owner = newOwner();
    const own = { ownerId: owner.ownerId };
    const shown = await addPack(database, [], own);
    const held = await addPack(database, [], own);
    const takenDown = await addPack(database, [], own);
    const other = await addPack(database, [], { ownerId: newOwner().ownerId });
    const ids = [shown.id, held.id, takenDown.id, other.id];
    const since_at = new Date(Date.UTC(2026, 0, 1));
    await database.knex('sticker_pack').where({ id: held.id }).update({ moderation: 'held', moderation_reason: 'Why' });
    await database.knex('moderation_case').insert({ target_type: 'pack', target_id: held.id, state: 'held', since_at });
    await moderation.decidePack(takenDown.packKey, 'take-down', by);
    const { pack: draft } = await packs.create(owner, input);

    const { ban, isNew } = await bans.make({ kind: 'owner', ownerId: owner.ownerId }, by);
    expect([isNew, ban.affected, ban.settledAt !== null]).toEqual([true, 3, true]);
    expect(await packStates(ids)).toEqual(['taken_down', 'taken_down', 'taken_down', 'approved']);
    for (const write of [
      () => packs.create(owner, input),
      () => packs.publish(owner, draft.packKey),
      () => packs.remove(owner, shown.packKey),
    ])
      await expect(write()).rejects.toMatchObject({ code: 'owner-banned' });
    await expect(moderation.decidePack(takenDown.packKey, 'restore', by)).rejects.toMatchObject({
      code: 'moderation-conflict',
    });
    expect((await bans.make({ kind: 'owner', ownerId: owner.ownerId }, by)).isNew).toBe(false);

    const revoked = await bans.revoke(ban.id, by);
    expect([revoked.affected, revoked.revoked?.by]).toEqual([0, 'boss']);
    expect(await packStates(ids)).toEqual(['approved', 'held', 'taken_down', 'approved']);
    const waiting = await database
      .knex('moderation_case')
      .where({ target_id: held.id })
      .select('state', 'since_at', 'ban_id');
    expect(waiting).toEqual([{ state: 'held', since_at, ban_id: null }]);
    await packs.create(owner, input);
  });

  it('leave with an administrator what that administrator took down during the ban', async () => {
    const { ownerId } = newOwner();
    const pack = await addPack(database, [], { ownerId });
    const { ban } = await bans.make({ kind: 'owner', ownerId }, by);

    await moderation.decidePack(pack.packKey, 'take-down', by);
    await bans.revoke(ban.id, by);
    expect(await packStates([pack.id])).toEqual(['taken_down']);
  });

  it('leave no pack of an owner in sight that is published while the ban is made', async () => {
    for (let round = 0; round < 10; round += 1) {
      const owner = newOwner();
      const drafts: { id: string; packKey: string }[] = [];
      for (let index = 0; index < 4; index += 1)
        drafts.push(await addPack(database, [await addSticker(database, owner)], { ...owner, status: 'draft' }));
      const publishing = drafts.map(({ packKey }) =>
        packs.publish(owner, packKey).then(
          () => true,
          () => false,
        ),
      );
      const [, ...published] = await Promise.all([
        bans.make({ kind: 'owner', ownerId: owner.ownerId }, by),
        ...publishing,
      ]);
      expect(published).toHaveLength(4);
      expect(await packStates(drafts.map(({ id }) => id))).toEqual(Array.from({ length: 4 }, () => 'taken_down'));
    }
  });

  it('wait for what an owner who was free is about to write, and take that as well', async () => {
    const { ownerId } = newOwner();
    const waiters =
      kind === 'postgres'
        ? "SELECT COUNT(*) AS count FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        : "SELECT COUNT(*) AS count FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'";
    const isAnyWaiting = async (): Promise<boolean> =>
      (rowsOf<{ count: number }>(await database.knex.raw(waiters))[0]?.count ?? 0) > 0;
    const id = uuidv7();
    let making: Promise<unknown> = Promise.resolve();
    let isMade = false;
    await database.transaction(async (trx) => {
      await assertOwnerMayWrite(trx, ownerId);
      making = bans.make({ kind: 'owner', ownerId }, by).then(() => (isMade = true));
      await waitFor(async () => isMade || (await isAnyWaiting()), {
        // InnoDB shows the same again to whoever looks more often than ten times a second.
        intervalMs: 200,
        description: 'the ban to wait',
      });
      const texts = { name: 'Late', publisher: '', description: '', tags: [], visibility: 'public' as const };
      await insertPack(trx, { id, packKey: createPackKey('Late'), ownerId, status: 'published', ...texts });
    });
    await making;

    expect(await packStates([id])).toEqual(['taken_down']);
  });

  it('take the same bytes of every owner down, hold near-duplicates, and leave the rest', async () => {
    const hash = digestOf('banned');
    const sha256 = digestOf('banned bytes');
    const hashes = (first: string) => ({ first, middle: null, last: null, mask: null });
    const look = { classification: { hashes: hashes(hash) } };
    const banned = await addSticker(database, { ...look, sha256 });
    const copy = await addSticker(database, { ...look, sha256, ownerId: 'another' });
    const near = await addSticker(database, { classification: { hashes: hashes(turned(hash, 31)) } });
    const farther = await addSticker(database, { classification: { hashes: hashes(turned(hash, 32)) } });
    const ids = [banned, copy, near, farther];

    const { ban } = await bans.make({ kind: 'sticker', stickerId: banned }, by);
    expect(await stickerStates(ids)).toEqual(['taken_down', 'taken_down', 'held', 'approved']);
    expect(ban).toMatchObject({ sha256, affected: 3 });
    expect((await bans.make({ kind: 'sticker', sha256 }, by)).isNew).toBe(false);
    await expect(moderation.decideSticker(banned, 'restore', by)).rejects.toMatchObject({
      code: 'moderation-conflict',
    });

    await moderation.decideSticker(near, 'approve', by);
    await bans.revoke(ban.id, by);
    expect(await stickerStates(ids)).toEqual(['approved', 'approved', 'approved', 'approved']);
  });

  it('keep what another ban means as well when the first one ends', async () => {
    const hash = digestOf('two bans');
    const hashes = { first: hash, middle: null, last: null, mask: null };
    const [one, two, near] = [
      await addSticker(database, { classification: { hashes } }),
      await addSticker(database, { classification: { hashes: { ...hashes, first: turned(hash, 10) } } }),
      await addSticker(database, { classification: { hashes: { ...hashes, first: turned(hash, 20) } } }),
    ];
    const first = await bans.make({ kind: 'sticker', stickerId: one }, by);
    const second = await bans.make({ kind: 'sticker', stickerId: two }, by);
    expect(await stickerStates([one, two, near])).toEqual(['taken_down', 'taken_down', 'held']);

    await bans.revoke(first.ban.id, by);
    expect(await stickerStates([one, two, near])).toEqual(['held', 'taken_down', 'held']);
    await bans.revoke(second.ban.id, by);
    expect(await stickerStates([one, two, near])).toEqual(['approved', 'approved', 'approved']);
  });

  it('are gone on with where a killed process left them', async () => {
    const { ownerId } = newOwner();
    const pack = await addPack(database, [], { ownerId });
    const sticker = await addSticker(database);
    const { ban: ofOwner } = await bans.make({ kind: 'owner', ownerId }, by);
    const { ban: ofSticker } = await bans.make({ kind: 'sticker', stickerId: sticker }, by);
    const { knex } = database;
    // As if both processes had died right after the bans were made, and a pack and a copy had been there.
    const ids = [ofOwner.id, ofSticker.id];
    await knex('moderation_ban').whereIn('id', ids).update({ settled_at: null, searched_through: null });
    await knex('moderation_case').whereIn('ban_id', ids).delete();
    await knex('sticker_pack').where({ id: pack.id }).update({ moderation: 'approved' });
    await knex('sticker_asset').where({ id: sticker }).update({ moderation: 'approved' });

    while (await bans.pass());
    expect([...(await packStates([pack.id])), ...(await stickerStates([sticker]))]).toEqual([
      'taken_down',
      'taken_down',
    ]);
    expect(await knex('moderation_ban').whereNull('settled_at')).toEqual([]);
  });

  it('refuse to ban what the system itself is, and end once', async () => {
    for (const ownerId of ['admin', 'omnizap:curation'])
      await expect(bans.make({ kind: 'owner', ownerId }, by)).rejects.toMatchObject({ code: 'moderation-conflict' });
    const { ban } = await bans.make({ kind: 'owner', ownerId: newOwner().ownerId }, by);
    await bans.revoke(ban.id, by);
    await bans.revoke(ban.id, { actor: 'late', reason: 'Again' });

    const audits = await database.knex('admin_action_audit').where({ target_id: ban.id }).orderBy('id');
    expect(audits.map(({ action, actor }: { action: string; actor: string }) => [action, actor])).toEqual([
      ['ban.create', 'boss'],
      ['ban.revoke', 'boss'],
    ]);
    await expect(bans.revoke(digestOf('none').slice(0, 8) + '-0000-7000-8000-000000000000', by)).rejects.toMatchObject({
      code: 'not-found',
    });
  });
});
