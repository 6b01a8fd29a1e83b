/**
 * The words of a pack as fields of a form: empty for a new one. Their names and limits are those of the API. Their form is for the
 * page's script alone: a fieldset keeps it disabled until that has started, or it would send its words in the address of the page.
 */
import { packInput } from '../../schemas.ts';
import { html, type Content } from '../html.ts';
import type { PackSummary } from '../list-page-data.ts';
import type { PageContext } from '../page.ts';
import { visibilityWord } from './pack-states.ts';

const { name, publisher, description } = packInput.shape;
const lengths = {
  name: name.maxLength ?? undefined,
  publisher: publisher.unwrap().maxLength ?? undefined,
  description: description.unwrap().maxLength ?? undefined,
};
const visibilities = packInput.shape.visibility.unwrap().options;

export function packFields(context: PageContext, pack: PackSummary | null): Content[] {
  const { t } = context;
  return [
    html`<label class="field">
      <span>${t('owner.name')}</span>
      <input name="name" required maxlength=${lengths.name} value=${pack?.name ?? ''} autocomplete="off" />
    </label>`,
    html`<label class="field">
      <span>${t('owner.publisher')}</span>
      <input name="publisher" maxlength=${lengths.publisher} value=${pack?.publisher ?? ''} autocomplete="off" />
    </label>`,
    html`<label class="field wide">
      <span>${t('owner.description')}</span>
      <textarea name="description" rows="2" maxlength=${lengths.description}>${pack?.description ?? ''}</textarea>
    </label>`,
    html`<label class="field">
      <span>${t('owner.visibility')}</span>
      <select name="visibility">
        ${visibilities.map(
          (one) =>
            html`<option value=${one} selected=${one === (pack?.visibility ?? 'public')}>
              ${visibilityWord(context, one)}
            </option>`,
        )}
      </select>
    </label>`,
  ];
}
