/**
 * `<data dir>/demo-seed.json`: how far the demo catalogue has come, so that an interrupted seeding goes on where it stopped and a
 * completed one is not repeated for somebody who deleted the packs.
 */
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { z } from 'zod';
import { readPrivateFile, writePrivateFile } from './private-file.ts';

const stateSchema = z.object({
  /** Tells this seeding from every other one: part of the idempotency keys. */
  demo_id: z.string(),
  /** A key lives in one catalogue: another id means that the data directory now serves another database. */
  owner_key_id: z.string(),
  is_completed: z.boolean(),
  packs: z.record(z.string(), z.object({ pack_key: z.string(), is_engaged: z.boolean() })),
});

type DemoContent = z.output<typeof stateSchema>;

export type DemoState = {
  demoId: string;
  isCompleted: () => boolean;
  /** True when an earlier run made at least one pack. */
  isStarted: () => boolean;
  packKey: (slug: string) => string | null;
  isEngaged: (slug: string) => boolean;
  setPack: (slug: string, packKey: string, progress: { isEngaged: boolean }) => Promise<void>;
  complete: () => Promise<void>;
};

export async function openDemoState(dataDir: string, ownerKey: string): Promise<DemoState> {
  const file = path.join(dataDir, 'demo-seed.json');
  const ownerKeyId = ownerKey.split('_')[1] ?? '';
  const before = await readPrivateFile(file, stateSchema);
  const content: DemoContent =
    before?.owner_key_id === ownerKeyId
      ? before
      : { demo_id: randomUUID(), owner_key_id: ownerKeyId, is_completed: false, packs: {} };
  let last = Promise.resolve();
  const save = async (): Promise<void> => {
    last = last.then(async () => await writePrivateFile(file, content));
    await last;
  };
  return {
    demoId: content.demo_id,
    isCompleted: () => content.is_completed,
    isStarted: () => Object.keys(content.packs).length > 0,
    packKey: (slug) => content.packs[slug]?.pack_key ?? null,
    isEngaged: (slug) => content.packs[slug]?.is_engaged ?? false,
    setPack: async (slug, packKey, { isEngaged }) => {
      content.packs[slug] = { pack_key: packKey, is_engaged: isEngaged };
      await save();
    },
    complete: async () => {
      content.is_completed = true;
      await save();
    },
  };
}
