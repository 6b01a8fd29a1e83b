/** What the operations of the API are made of. */
import type {
  ApiKeys,
  AutoCollect,
  Bans,
  CatalogueReader,
  DeadLetters,
  Engagement,
  MarketplaceActivityReader,
  Moderation,
  OwnerReader,
  OwnerSessions,
  PackClone,
  PackAnalyticsReader,
  PackEdits,
  PackExports,
  PackImports,
  Packs,
  ReplaceSticker,
  Reports,
  Uploads,
  Webhooks,
} from '@omnizap/catalog';
import type { FlagStore, Flags, TaskPauses } from '@omnizap/rollout';
import type { ProcessContext } from '@omnizap/runtime';
import type { DiskStore } from '@omnizap/storage';
import type { TaskQueues } from '@omnizap/tasks';
import type { AssetDelivery } from './asset-delivery.ts';
import type { WebAssets } from './web/web-assets.ts';
import type { Idempotency } from './idempotency.ts';
import type { RateLimiter } from './rate-limiter.ts';
import type { SignedPaths } from './signed-paths.ts';

export type ApiDeps = Pick<
  ProcessContext,
  'config' | 'log' | 'metrics' | 'health' | 'membership' | 'database' | 'wakeups'
> & {
  idempotency: Idempotency;
  rateLimiter: RateLimiter;
  store: DiskStore;
  assetDelivery: AssetDelivery;
  signedPaths: SignedPaths;
  /** Where stickers may be redirected to. */
  imageOrigins: readonly string[];
  reader: CatalogueReader;
  packs: Packs;
  packEdits: PackEdits;
  packClone: PackClone;
  ownerReader: OwnerReader;
  uploads: Uploads;
  replaceSticker: ReplaceSticker;
  autoCollect: AutoCollect;
  packExports: PackExports;
  packImports: PackImports;
  engagement: Engagement;
  analytics: PackAnalyticsReader;
  activity: MarketplaceActivityReader;
  moderation: Moderation;
  bans: Bans;
  reports: Reports;
  webhooks: Webhooks;
  apiKeys: ApiKeys;
  ownerSessions: OwnerSessions;
  deadLetters: DeadLetters;
  flags: Pick<Flags, 'isOn'>;
  flagStore: FlagStore;
  taskPauses: TaskPauses;
  taskCounts: TaskQueues['counts'];
  webAssets: WebAssets;
};
