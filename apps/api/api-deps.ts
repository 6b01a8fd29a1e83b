/** What the operations of the API are made of. */
import type { ApiKeys, CatalogueReader, DeadLetters, Engagement, Packs, Uploads } from '@omnizap/catalog';
import type { ProcessContext } from '@omnizap/runtime';
import type { DiskStore } from '@omnizap/storage';

export type ApiDeps = Pick<ProcessContext, 'config' | 'log' | 'metrics' | 'health' | 'membership'> & {
  store: DiskStore;
  reader: CatalogueReader;
  packs: Packs;
  uploads: Uploads;
  engagement: Engagement;
  apiKeys: ApiKeys;
  deadLetters: DeadLetters;
};
