/** Every kind of task with the handler that works it, for the process that does. */
import { configureImaging, createEmojiClassifier, keywordsOfEmoji, parseEmojis } from '@omnizap/imaging';
import type { ObjectStore, PurgeCdn } from '@omnizap/storage';
import type { TaskDefinition, TaskHandler } from '@omnizap/tasks';
import { createClassifySticker, type HandlerDeps } from './classify-sticker.ts';
import { createCurateTheme } from './curate-theme.ts';
import { createDeliverWebhook } from './deliver-webhook.ts';
import { createDeriveSticker } from './derive-sticker.ts';
import { createRebuildPack } from './rebuild-pack.ts';
import { createStickerObjects } from './object-storage/sticker-objects.ts';
import { createStoreSticker } from './object-storage/store-sticker.ts';
import { taskSettings, type TaskType } from './task-settings.ts';
import type { WebhookOptions } from './webhook-url.ts';

export const workerKinds = ['classification', 'curation', 'rebuild'] as const;
export type WorkerKind = (typeof workerKinds)[number];

/** In the order in which a process takes them: an earlier one first. */
export const taskTypesOf: Record<WorkerKind, TaskType[]> = {
  classification: ['classification', 'derivative'],
  curation: ['curation'],
  rebuild: ['rebuild', 'storage', 'webhook'],
};

export function createTaskDefinitions(
  deps: HandlerDeps,
  types: TaskType[],
  options: { webhooks: WebhookOptions; objects?: ObjectStore | null; purge?: PurgeCdn | undefined },
): TaskDefinition[] {
  configureImaging();
  // Loading the emoji data takes 0.2 s: before the first sticker, not during it.
  parseEmojis(['😀']).forEach(keywordsOfEmoji);
  const { objects = null } = options;
  const handlers: Record<TaskType, () => TaskHandler> = {
    classification: () => createClassifySticker(deps, createEmojiClassifier()),
    derivative: () => createDeriveSticker(deps),
    curation: () => createCurateTheme(deps),
    rebuild: () => createRebuildPack(deps),
    storage: () =>
      createStoreSticker({
        database: deps.database,
        stickerObjects: objects && createStickerObjects({ database: deps.database, store: deps.store, objects }),
        purge: options.purge,
      }),
    webhook: () => createDeliverWebhook(deps, options.webhooks),
  };
  return types.map((type) => {
    const settings = taskSettings.find((entry) => entry.type === type);
    if (!settings) throw new Error(`No settings for task type ${type}`);
    return { settings, handle: handlers[type]() };
  });
}
