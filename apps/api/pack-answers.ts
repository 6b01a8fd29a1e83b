/** Answers to an owner about one of their packs, with the version that If-Match takes back, and about a sticker that came in. */
import type { Actor, AddedSticker, CatalogueReader, PackView, StickerView } from '@omnizap/catalog';
import type { Finding } from '@omnizap/imaging';
import { packEtag } from './entity-tags.ts';
import type { Answer } from './operation.ts';
import { findingJson } from './finding-json.ts';
import { addedStickerJson, packJson } from './pack-json.ts';
import { packOutcome } from './request-outcomes.ts';

export function createPackAnswers(reader: Pick<CatalogueReader, 'withSignals' | 'readPack'>) {
  /** `extra` stands beside the fields of the summary. */
  async function bodyOf(view: PackView, extra: object): Promise<object> {
    return { data: { ...packJson(await reader.withSignals(view), { countAll: true }), ...extra } };
  }

  async function created(view: PackView, extra: object = {}): Promise<Answer> {
    const { pack } = view;
    const headers = { Location: `/api/sticker-packs/${pack.packKey}`, ETag: packEtag(pack) };
    return { status: 201, body: await bodyOf(view, extra), headers };
  }

  return {
    async found(view: PackView, extra: object = {}): Promise<Answer> {
      return { status: 200, body: await bodyOf(view, extra), headers: { ETag: packEtag(view.pack) } };
    },
    created,
    /**
     * For a request that made a pack and whose answer was lost: the pack as it is now, with what `extraOf` says of it. Null when the
     * outcome does not name one. @throws AppError `pack-not-found` when it is deleted meanwhile
     */
    async createdAgain(
      actor: Actor | null,
      outcome: unknown,
      extraOf: (view: PackView, stickers: StickerView[]) => object = () => ({}),
    ): Promise<Answer | null> {
      const made = packOutcome.safeParse(outcome);
      if (!made.success) return null;
      const { view, stickers } = await reader.readPack(made.data.pack.packKey, actor);
      return created(view, extraOf(view, stickers));
    },
  };
}

/** A sticker that came in, and what the validator says of its file: known only while it is received. */
export function takenAnswer(added: AddedSticker, findings: Finding[] = [], extra: object = {}): Answer {
  const data = { ...addedStickerJson(added), ...extra, findings: findings.map(findingJson) };
  return { status: added.isNew ? 202 : 200, body: { data } };
}
