/** Answers to an owner about one of their packs, with the version that If-Match takes back. */
import type { CatalogueReader, PackView } from '@omnizap/catalog';
import { packEtag } from './entity-tags.ts';
import type { Answer } from './operation.ts';
import { packJson } from './pack-json.ts';

export function createPackAnswers(reader: Pick<CatalogueReader, 'withSignals'>) {
  /** `extra` stands beside the fields of the summary. */
  async function bodyOf(view: PackView, extra: object): Promise<object> {
    return { data: { ...packJson(await reader.withSignals(view), { countAll: true }), ...extra } };
  }

  return {
    async found(view: PackView, extra: object = {}): Promise<Answer> {
      return { status: 200, body: await bodyOf(view, extra), headers: { ETag: packEtag(view.pack) } };
    },
    async created(view: PackView, extra: object = {}): Promise<Answer> {
      const { pack } = view;
      const headers = { Location: `/api/sticker-packs/${pack.packKey}`, ETag: packEtag(pack) };
      return { status: 201, body: await bodyOf(view, extra), headers };
    },
  };
}
