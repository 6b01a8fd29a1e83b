/** Telling the operators about a pack: closed until somebody wants it, a plain form, and thanks where the form was. */
import { reportReasons } from '@omnizap/catalog';
import { maxReportDetails } from '../../moderation-schemas.ts';
import { html, type Content } from '../html.ts';
import type { PackSummary } from '../list-page-data.ts';
import type { PageContext } from '../page.ts';
import { linkTo } from '../page-shell.ts';

/** Where the thanks are: the answer to the form leads there, and the focus with it. */
export const reportAnchor = 'report';

export function reportForm(context: PageContext, pack: PackSummary, isReported: boolean): Content {
  const { t } = context;
  if (isReported)
    return html`
      <section class="pack-report" id=${reportAnchor} tabindex="-1" aria-labelledby="report-thanks">
        <h2 id="report-thanks">${t('report.thanks')}</h2>
        <p>${t('report.thanks-text')}</p>
      </section>
    `;
  return html`
    <details class="pack-report" id=${reportAnchor}>
      <summary>${t('report.open')}</summary>
      <form method="post" action=${linkTo(context, `/stickers/${pack.pack_key}/report`)}>
        <p class="fine" id="report-note">${t('report.note')}</p>
        <label for="report-reason">${t('report.reason')}</label>
        <select id="report-reason" name="reason" required aria-describedby="report-note">
          <option value="">${t('report.choose')}</option>
          ${reportReasons.map((reason) => html`<option value=${reason}>${t(`report.reason-${reason}`)}</option>`)}
        </select>
        <label for="report-details">${t('report.details')}</label>
        <textarea id="report-details" name="details" rows="4" maxlength=${maxReportDetails}></textarea>
        <button class="button quiet" type="submit">${t('report.send')}</button>
      </form>
    </details>
  `;
}
