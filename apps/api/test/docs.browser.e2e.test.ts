/** The documentation in a real browser: whole without scripts, clean for screen readers, light and dark, wide and narrow. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { errorRegistry } from '@omnizap/runtime';
import { openBrowser, startFleet, testDatabaseKinds } from '@omnizap/testkit';
import type { Fleet, TestBrowser } from '@omnizap/testkit';
import { operationsOf } from './spec/spec.ts';
import type { SpecDocument } from './spec/spec.ts';

describe('the documentation of the API', () => {
  let fleet: Fleet;
  let browser: TestBrowser;
  beforeAll(async () => {
    // It reads no table: one kind of database is as good as the other.
    const [kind = 'postgres'] = testDatabaseKinds();
    [fleet, browser] = await Promise.all([startFleet(kind, { processes: ['api'] }), openBrowser()]);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await fleet?.stop();
  }, 60_000);

  it('shows every operation with an example, and leads to every problem code, without a script', async () => {
    const document = (await (await fetch(`${fleet.apiUrl}/openapi.json`)).json()) as SpecDocument;
    const visit = await browser.visit({ javaScriptEnabled: false });
    await visit.page.goto(`${fleet.apiUrl}/docs`);

    const shown = await visit.page.locator('article.operation').evaluateAll((all) => all.map(({ id }) => id));
    expect(shown.toSorted()).toEqual(
      operationsOf(document)
        .map(({ id }) => id)
        .toSorted(),
    );
    expect(await visit.page.locator('article.operation pre').count()).toBe(shown.length);
    expect(await visit.page.locator('.docs-search').isVisible()).toBe(false);

    const targets = await visit.page
      .locator('.answer a[href^="/docs"]')
      .evaluateAll((all) => all.map((one) => one.getAttribute('href') ?? ''));
    const codes = [...new Set(targets.map((target) => target.replace('/docs/errors#', '')))];
    expect(codes.filter((code) => !(code in errorRegistry))).toEqual([]);
    await visit.page.goto(`${fleet.apiUrl}/docs/errors`);
    const explained = await visit.page.locator('.operation h2').evaluateAll((all) => all.map(({ id }) => id));
    expect(explained.toSorted()).toEqual(Object.keys(errorRegistry).toSorted());
    await visit.close();
  }, 60_000);

  it('finds operations by words, with nothing refused by the content policy', async () => {
    const visit = await browser.visit();
    await visit.page.goto(`${fleet.apiUrl}/docs`);

    await visit.page.getByRole('searchbox').fill('delete PACK');

    await visit.page.locator('#listPacks').waitFor({ state: 'hidden' });
    expect(await visit.page.locator('#deletePack').isVisible()).toBe(true);
    expect(visit.problems()).toEqual([]);
    await visit.close();
  }, 60_000);

  it.each([
    ['desktop', 'light'],
    ['phone', 'dark'],
  ] as const)(
    'has no serious finding of axe and no sideways scrolling on a %s in %s',
    async (viewport, colorScheme) => {
      const visit = await browser.visit({ viewport, colorScheme });
      for (const path of ['/docs', '/docs/errors']) {
        await visit.page.goto(`${fleet.apiUrl}${path}`);
        expect([path, await visit.seriousFindings()]).toEqual([path, []]);
        const overflow = await visit.page.evaluate(
          'document.documentElement.scrollWidth - document.documentElement.clientWidth',
        );
        expect([path, overflow]).toEqual([path, 0]);
      }
      expect(visit.problems()).toEqual([]);
      await visit.close();
    },
    90_000,
  );
});
