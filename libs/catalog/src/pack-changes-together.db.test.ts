/** Everything that changes a pack, at once, while the workers look at it. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TaskHandler } from '@omnizap/tasks';
import { testDatabaseKinds } from '@omnizap/testkit';
import { addPack, addSticker } from '../test/builders.ts';
import { log, openIntake, type Intake } from '../test/intake.ts';
import { createAutoCollect } from './auto-collect.ts';
import { createCurateTheme } from './curate-theme.ts';
import { createPackClone } from './pack-clone.ts';
import { createPackEdits } from './pack-edits.ts';
import { itemsOfPack } from './pack-store.ts';
import type { Actor } from './packs.ts';
import { createRebuildPack } from './rebuild-pack.ts';
import { createReplaceSticker } from './replace-sticker.ts';
import { createUploads } from './uploads.ts';
import { createWorkStateStore } from './work-state-store.ts';

const owner: Actor = { ownerId: 'owner', isAdmin: false };
const each = 6;
const times = <T>(work: (index: number) => Promise<T>): Promise<T>[] =>
  Array.from({ length: each }, (_, index) => work(index));

describe.each(testDatabaseKinds())('all changes of one pack at once on %s', (kind) => {
  let intake: Intake;

  beforeAll(async () => {
    intake = await openIntake(kind, 120);
  });
  afterAll(() => intake.close());

  async function look(handle: TaskHandler, taskType: 'rebuild' | 'curation', subjectId: string): Promise<void> {
    await createWorkStateStore(intake.database).want([{ taskType, subjectId }]);
    await handle(
      { id: 'task', taskType, subjectId, attempt: 1, requestId: undefined, eventId: undefined },
      { signal: new AbortController().signal, log, lookedAt: () => undefined },
    );
  }

  it('are all carried out, each counted and announced once, and no sticker is lost or shares its place', async () => {
    const { database, deps } = intake;
    const stickers: string[] = [];
    for (let count = 0; count < 4 * each; count += 1) stickers.push(await addSticker(database));
    const pack = await addPack(database, stickers);
    const group = (number: number): string[] => stickers.slice(number * each, (number + 1) * each);
    const [removed, replaced, covers, described] = [group(0), group(1), group(2), group(3)];
    const [edits, uploads, replaceSticker] = [createPackEdits(deps), createUploads(deps), createReplaceSticker(deps)];
    const autoCollect = createAutoCollect(deps, { isEnabled: true, baseName: 'pack', maxPerOwner: 0 });
    const clones = createPackClone(deps, { maxPerOwner: 0 });
    await intake.takeEvents();
    let isOver = false;
    const [curate, rebuild] = [createCurateTheme(deps), createRebuildPack(deps)];
    const looking = (async () => {
      while (!isOver) {
        await look(curate, 'curation', 'love');
        await look(rebuild, 'rebuild', pack.id);
      }
    })();

    /** An order holds only for the stickers that were read: whoever comes too late reads again. */
    const reorder = async (index: number): Promise<void> => {
      for (;;) {
        const current = (await itemsOfPack(database.knex, pack.id)).map((item) => item.assetId).toSorted();
        const done = await edits
          .reorder(owner, pack.packKey, [...current.slice(index + 1), ...current.slice(0, index + 1)].toReversed())
          .catch((error: unknown) => {
            if ((error as { code?: string }).code === 'validation-failed') return null;
            throw error;
          });
        if (done) return;
      }
    };
    const idOf = ({ stickerId }: { stickerId: string }): string => stickerId;
    const upload = (number: number) => intake.uploadOf(number);
    const work = {
      removed: times((index) => edits.removeSticker(owner, pack.packKey, removed[index] ?? '')),
      renamed: times((index) => edits.edit(owner, pack.packKey, { name: `Name ${index}`, tags: [`tag ${index}`] })),
      covered: times((index) => edits.chooseCover(owner, pack.packKey, covers[index] ?? '')),
      described: times((index) => edits.editSticker(owner, pack.packKey, described[index] ?? '', { emojis: ['🎉'] })),
      ordered: times(reorder),
      added: times(async (index) => idOf(await uploads.addSticker(owner, pack.packKey, await upload(100 + index)))),
      replaced: times(async (index) =>
        idOf(await replaceSticker.replace(owner, pack.packKey, replaced[index] ?? '', await upload(200 + index))),
      ),
      collected: times(async (index) => await autoCollect.collect(owner, await upload(300 + index), '')),
      cloned: times(() => clones.clone(owner, pack.packKey, { name: 'A copy' })),
    };
    const settled = await Promise.allSettled(Object.values(work).flat());
    isOver = true;
    await looking;

    expect(settled.filter((result) => result.status === 'rejected')).toEqual([]);
    // A clone is a pack of the owner's own with room as well.
    const collected = (await Promise.all(work.collected)).filter((sticker) => sticker.packKey === pack.packKey);
    const changes = 7 * each + collected.length;
    const row = await database.knex('sticker_pack').where({ id: pack.id }).first<{ version: number }>('version');
    const events = (await intake.takeEvents()).filter((event) => event.id === pack.id);
    expect([row.version, events.length]).toEqual([1 + changes, changes]);
    const left = [...covers, ...described, ...(await Promise.all([...work.added, ...work.replaced]))];
    const items = await itemsOfPack(database.knex, pack.id);
    expect(items.map((item) => item.assetId).toSorted()).toEqual([...left, ...collected.map(idOf)].toSorted());
    expect(new Set(items.map((item) => item.position)).size).toBe(items.length);
  });
});
