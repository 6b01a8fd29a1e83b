/** Reporting a pack as a visitor does it, in a real browser: by keyboard, on a phone, and without JavaScript. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createCatalogueClient, drawPng, openBrowser, startFleet } from '@omnizap/testkit';
import type { Fleet, TestBrowser, Visit, VisitOptions } from '@omnizap/testkit';

let fleet: Fleet;
let browser: TestBrowser;
const visits: Visit[] = [];

beforeAll(async () => {
  fleet = await startFleet('postgres', { processes: ['api'] });
  browser = await openBrowser();
}, 180_000);
afterEach(async () => {
  await Promise.all(visits.splice(0).map((visit) => visit.close()));
});
afterAll(async () => {
  await browser?.close();
  await fleet?.stop();
}, 60_000);

/** The page of a pack of its own: an address counts once for each. */
async function visitNewPack(options: VisitOptions = {}): Promise<Visit & { packKey: string }> {
  const own = createCatalogueClient(fleet.apiUrl, (await fleet.createOwner()).key);
  const packKey = await own.createPack({ name: 'Reported' });
  await own.addStickers(packKey, [{ bytes: drawPng(visits.length), emojis: ['🙂'] }]);
  expect((await own.publish(packKey)).status).toBe(200);
  const shown = await browser.visit(options);
  visits.push(shown);
  await shown.page.goto(`${fleet.apiUrl}/stickers/${packKey}`, { waitUntil: 'networkidle' });
  return { ...shown, packKey };
}

async function reportsOf(packKey: string): Promise<object[]> {
  return await fleet.database
    .knex('sticker_report as r')
    .join('sticker_pack as p', 'p.id', 'r.pack_id')
    .where({ 'p.pack_key': packKey })
    .select('r.reason', 'r.details', 'r.asset_id');
}

describe('the report form of a pack', () => {
  it('is filled in and sent by keyboard, and the focus is on the thanks', async () => {
    const shown = await visitNewPack();
    const { page, packKey } = shown;
    expect(await page.locator('#report-reason').isVisible()).toBe(false);

    await page.locator('.pack-report summary').focus();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.id')).toBe('report-reason');
    expect(await shown.seriousFindings()).toEqual([]);
    await page.keyboard.type('Spam');
    await page.keyboard.press('Tab');
    await page.keyboard.type('The same everywhere');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\?reported=yes#report$/);

    expect(await page.getByRole('heading', { name: 'Thank you for your report' }).isVisible()).toBe(true);
    expect(await page.evaluate('document.activeElement.id')).toBe('report');
    expect(await reportsOf(packKey)).toEqual([{ reason: 'spam', details: 'The same everywhere', asset_id: null }]);
    expect(await shown.seriousFindings()).toEqual([]);
    expect(shown.problems()).toEqual([]);
  });

  it('asks for a reason before it is sent', async () => {
    const { page, packKey } = await visitNewPack();
    await page.locator('.pack-report summary').click();
    await page.getByRole('button', { name: 'Send report' }).click();

    expect(await page.locator('#report-reason:invalid').count()).toBe(1);
    expect(new URL(page.url()).pathname).toBe(`/stickers/${packKey}`);
    expect(await reportsOf(packKey)).toEqual([]);
  });

  it('works without JavaScript, on a phone in the dark and in Portuguese', async () => {
    const shown = await visitNewPack({
      ...{ javaScriptEnabled: false, viewport: 'phone', colorScheme: 'dark', locale: 'pt-BR' },
    });
    const { page, packKey } = shown;
    await page.getByText('Denunciar este pacote').click();
    await page.getByLabel('O que há de errado?').selectOption({ label: 'É obra de outra pessoa' });
    await page.getByRole('button', { name: 'Enviar denúncia' }).click();

    expect(await page.getByRole('heading', { name: 'Obrigado pela denúncia' }).isVisible()).toBe(true);
    expect(await reportsOf(packKey)).toEqual([{ reason: 'copyright', details: null, asset_id: null }]);
    // A new look at the pack offers the form again.
    await page.goto(`${fleet.apiUrl}/stickers/${packKey}`);
    expect(await page.getByText('Denunciar este pacote').isVisible()).toBe(true);
  });
});
