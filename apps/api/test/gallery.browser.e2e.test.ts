/** The gallery as visitors see it: real pages of a real fleet with the demo catalogue, in a real browser. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createCatalogueClient, openBrowser, startFleet, waitFor } from '@omnizap/testkit';
import type { CatalogueClient, Fleet, PackSummaryJson, TestBrowser, Visit, VisitOptions } from '@omnizap/testkit';
import { seedDemo } from './demo-catalogue.ts';

const maxCodeBytes = 25 * 1_024;
/** The demo takes the workers half a minute of two processors to make; on a busy machine that is long. A hang guard. */
const seedTimeoutMs = 900_000;
const patience = { timeoutMs: 20_000, intervalMs: 50 };

let fleet: Fleet;
let browser: TestBrowser;
let anybody: CatalogueClient;
let packs: PackSummaryJson[];
let still: PackSummaryJson;
let animated: PackSummaryJson;
const visits: Visit[] = [];

beforeAll(async () => {
  fleet = await startFleet('postgres');
  anybody = createCatalogueClient(fleet.apiUrl);
  browser = await openBrowser();
  packs = await seedDemo(fleet);
  still = packs.find((pack) => !pack.is_animated) as PackSummaryJson;
  animated = packs.find((pack) => pack.is_animated) as PackSummaryJson;
}, seedTimeoutMs);
afterEach(async () => {
  await Promise.all(visits.splice(0).map((visit) => visit.close()));
});
afterAll(async () => {
  await browser?.close();
  await fleet?.stop();
}, 60_000);

async function visit(path: string, options: VisitOptions = {}): Promise<Visit> {
  const one = await browser.visit(options);
  visits.push(one);
  await one.page.goto(`${fleet.apiUrl}${path}`, { waitUntil: 'networkidle' });
  return one;
}

const shownPacks = async ({ page }: Visit): Promise<string[]> =>
  await page.evaluate<string[]>(`[...document.querySelectorAll('#packs > .card')].map((card) => card.dataset.pack)`);
const sorted = (keys: string[]): string[] => keys.toSorted();
const engagementOf = async (pack: PackSummaryJson): Promise<PackSummaryJson['engagement']> =>
  (await anybody.pack(pack.pack_key)).engagement;

describe('every page', () => {
  const pages = {
    home: () => '/',
    list: () => '/stickers',
    'empty list': () => '/stickers?q=nothing-is-called-that',
    'pack of stills': () => `/stickers/${still.pack_key}`,
    'animated pack': () => `/stickers/${animated.pack_key}`,
  };
  const screens = {
    desktop: { viewport: 'desktop' },
    'desktop in the dark': { viewport: 'desktop', colorScheme: 'dark' },
    phone: { viewport: 'phone', locale: 'pt-BR', deviceScaleFactor: 3 },
  } as const satisfies Record<string, VisitOptions>;
  const cases = Object.keys(screens).flatMap((screen) => Object.keys(pages).map((page) => [page, screen] as const));

  it.each(cases)('%s on a %s is complete, calm, light and accessible', async (name, screen) => {
    const shown = await visit(pages[name as keyof typeof pages](), screens[screen as keyof typeof screens]);
    const { page } = shown;

    expect(shown.problems()).toEqual([]);
    expect(await shown.seriousFindings()).toEqual([]);
    expect(await shown.layoutShift()).toBeLessThan(0.01);
    const codeBytes = await shown.codeBytes();
    expect(codeBytes).toBeGreaterThan(0);
    expect(codeBytes).toBeLessThan(maxCodeBytes);
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    expect(
      await page.evaluate(`[...document.images].filter((one) => {
        const { top, bottom } = one.getBoundingClientRect();
        return top < innerHeight && bottom > 0 && !(one.complete && one.naturalWidth > 0);
      }).map((one) => one.src)`),
    ).toEqual([]);
    expect(await page.locator('main h1, main h2').count()).toBeGreaterThan(0);
    expect(await page.locator('html').getAttribute('lang')).toBe(screen === 'phone' ? 'pt-BR' : 'en');
  });

  it('that is not there is a page as well', async () => {
    const shown = await visit('/stickers/none');

    expect(await shown.page.locator('h1').textContent()).toBe('This page got unstuck');
    expect(await shown.seriousFindings()).toEqual([]);
    expect(shown.problems()).toEqual([expect.stringMatching(/404/)]);
  });

  it('lets a keyboard skip to its content', async () => {
    const { page } = await visit('/stickers');

    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.className')).toBe('skip-link');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('content');
  });

  it('describes itself to search engines in data that parses', async () => {
    for (const path of ['/', '/stickers', `/stickers/${animated.pack_key}`]) {
      const { page } = await visit(path);
      const texts = await page.locator('script[type="application/ld+json"]').allTextContents();
      expect(texts.map((text) => (JSON.parse(text) as { '@context': string })['@context'])).toEqual(
        texts.map(() => 'https://schema.org'),
      );
      expect(texts.length).toBeGreaterThan(0);
    }
  });
});

describe('the front page', () => {
  it.each([
    ['phone', 1, '720'],
    ['phone', 3, '1280'],
    ['desktop', 2, '1280'],
  ] as const)(
    'gives a %s of density %s its picture once, in AVIF and %s pixels wide',
    async (viewport, density, width) => {
      const { page } = await visit('/', { viewport, deviceScaleFactor: density });

      const loaded = await page.evaluate<string[]>(
        `performance.getEntriesByType('resource').map(({ name }) => name).filter((name) => name.includes('/hero-'))`,
      );
      expect(loaded).toEqual([expect.stringContaining(`/hero-${width}.avif?v=`)]);
      expect(await page.evaluate<string>(`document.querySelector('.hero-art img').currentSrc`)).toBe(loaded[0]);
      expect(await page.evaluate<number>(`document.querySelector('.hero-art img').naturalWidth`)).toBeGreaterThan(0);
    },
  );

  it('is dark for whoever likes it dark', async () => {
    const ground = async (colorScheme: 'dark' | 'light'): Promise<number> => {
      const { page } = await visit('/', { colorScheme });
      const color = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
      return Math.max(...(color.match(/\d+/g) ?? []).map(Number));
    };

    expect(await ground('light')).toBeGreaterThan(230);
    expect(await ground('dark')).toBeLessThan(50);
  });
});

describe('the list', () => {
  it('grows by itself to its end, says so, and shows each pack once', async () => {
    const shown = await visit('/stickers?limit=6');
    const { page } = shown;
    expect((await shownPacks(shown)).length).toBeGreaterThanOrEqual(6);

    await waitFor(
      async () => {
        await page.keyboard.press('End');
        return (await page.locator('[data-pager] a').count()) === 0;
      },
      { ...patience, description: 'the end of the list' },
    );

    expect(sorted(await shownPacks(shown))).toEqual(sorted(packs.map((pack) => pack.pack_key)));
    expect(await page.locator('[data-list-status]').textContent()).toMatch(/^\d+ more packs loaded$/);
    expect(shown.problems()).toEqual([]);
  });

  it('is as long as it was, and where it was, for whoever comes back from a pack', async () => {
    const shown = await visit('/stickers?limit=6', { viewport: 'phone' });
    const { page } = shown;
    const place = async (): Promise<number> => await page.evaluate<number>('Math.round(scrollY)');
    const last = page.locator('#packs > .card').nth(14);
    await waitFor(
      async () => {
        await page.evaluate('scrollTo(0, document.body.scrollHeight)');
        return (await last.count()) === 1;
      },
      { ...patience, description: 'a third page' },
    );
    await last.scrollIntoViewIfNeeded();
    const [cards, top] = [(await shownPacks(shown)).length, await place()];

    await last.locator('a').click();
    await page.waitForURL(/\/stickers\/[a-z0-9-]+$/);
    await page.goBack({ waitUntil: 'networkidle' });

    await waitFor(async () => Math.abs((await place()) - top) < 5, { ...patience, description: `place ${top}` });
    expect((await shownPacks(shown)).length).toBeGreaterThanOrEqual(cards);
  });

  it('offers the next page again when it could not be loaded', async () => {
    const shown = await browser.visit();
    visits.push(shown);
    const { page } = shown;
    await page.route(/cursor=/, (route) => route.abort());
    await page.goto(`${fleet.apiUrl}/stickers?limit=6`, { waitUntil: 'networkidle' });
    await page.keyboard.press('End');
    await waitFor(
      async () => /could not be loaded/.test((await page.locator('[data-list-status]').textContent()) ?? ''),
      {
        ...patience,
        description: 'the failure to be said',
      },
    );
    const before = (await shownPacks(shown)).length;

    await page.unroute(/cursor=/);
    await page.locator('[data-pager] a').click();

    await waitFor(async () => (await shownPacks(shown)).length > before, { ...patience, description: 'more packs' });
  });

  it('searches by a form, narrows by category and sorts by tabs', async () => {
    const shown = await visit('/stickers');
    const { page } = shown;
    await page.getByRole('searchbox').fill('coffee');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\?q=coffee$/);
    expect(await page.locator('h1').textContent()).toBe('Packs for “coffee”');
    const found = await page.locator('.card-name').allTextContents();
    expect(found).toContain('Coffee and cake');
    expect(found.length).toBeLessThan(packs.length);

    await page.goto(`${fleet.apiUrl}/stickers`);
    await page.getByRole('link', { name: 'Animals', exact: true }).first().click();
    await page.waitForURL(/category=animals$/);
    expect(sorted(await shownPacks(shown))).toEqual(
      sorted(packs.filter((pack) => pack.categories.includes('animals')).map((pack) => pack.pack_key)),
    );

    await page.goto(`${fleet.apiUrl}/stickers`);
    await page.getByRole('link', { name: 'Most liked' }).click();
    await page.waitForURL(/sort=likes$/);
    const likes = (await anybody.list('?limit=24&sort=likes')).data.map((pack) => pack.pack_key);
    expect(await shownPacks(shown)).toEqual(likes);
  });

  it('works without JavaScript: searching, and following the links to the end', async () => {
    const shown = await visit('/stickers?limit=6', { javaScriptEnabled: false });
    const { page } = shown;
    const seen: string[] = [];
    for (;;) {
      seen.push(...(await shownPacksWithoutScript(shown)));
      const next = page.locator('a[rel=next]');
      if ((await next.count()) === 0) break;
      await next.click();
    }
    expect(sorted(seen)).toEqual(sorted(packs.map((pack) => pack.pack_key)));

    await page.goto(`${fleet.apiUrl}/stickers`);
    await page.locator('input[name=q]').fill('weather');
    await page.locator('form.search button').click();
    expect(await page.locator('.card-name').allTextContents()).toContain('Any weather');
  });
});

async function shownPacksWithoutScript({ page }: Visit): Promise<string[]> {
  const hrefs = await Promise.all(
    (await page.locator('#packs .card-link').all()).map((link) => link.getAttribute('href')),
  );
  return hrefs.map((href) => href?.split('/').at(-1) ?? '');
}

describe('the page of a pack', () => {
  it('counts a visitor’s opening once, and a like at once and once', async () => {
    // The least opened one: all visitors here come from one address, whose share of a pack is limited.
    const pack = packs.toSorted((one, other) => one.engagement.open - other.engagement.open)[0] as PackSummaryJson;
    const before = await engagementOf(pack);
    const shown = await visit(`/stickers/${pack.pack_key}`);
    const { page, context } = shown;
    const like = page.locator('form[data-like] button');
    const count = page.locator('[data-like-count]');

    await like.click();
    expect([await like.getAttribute('aria-pressed'), await count.textContent()]).toEqual([
      'true',
      String(before.like + 1),
    ]);
    await waitFor(async () => (await page.locator('[data-like-status]').textContent()) !== '', {
      ...patience,
      description: 'thanks',
    });
    await like.click();
    await page.reload({ waitUntil: 'networkidle' });

    expect(await like.getAttribute('aria-pressed')).toBe('true');
    expect(await engagementOf(pack)).toMatchObject({ open: before.open + 1, like: before.like + 1 });
    expect(await count.textContent()).toBe(String(before.like + 1));
    const cookies = (await context.cookies()).map(({ name, httpOnly, sameSite, value }) => ({
      name,
      httpOnly,
      sameSite,
      length: value.length,
    }));
    expect(cookies).toEqual([{ name: 'omnizap_vid', httpOnly: true, sameSite: 'Lax', length: 22 }]);
    expect(shown.problems()).toEqual([]);
  });

  it('takes a like back that could not be counted, and says so', async () => {
    const before = await engagementOf(animated);
    const { page } = await visit(`/stickers/${animated.pack_key}`);
    await page.route(/\/like$/, (route) => route.fulfill({ status: 503, body: '' }));

    await page.locator('form[data-like] button').click();

    await waitFor(
      async () => /could not be counted/.test((await page.locator('[data-like-status]').textContent()) ?? ''),
      {
        ...patience,
        description: 'the failure to be said',
      },
    );
    expect(await page.locator('form[data-like] button').getAttribute('aria-pressed')).toBe('false');
    expect(await page.locator('[data-like-count]').textContent()).toBe(String(before.like));
  });

  it('takes a like without JavaScript, too', async () => {
    const before = await engagementOf(animated);
    const { page } = await visit(`/stickers/${animated.pack_key}`, { javaScriptEnabled: false });

    await page.locator('form[data-like] button').click();

    expect(new URL(page.url()).pathname).toBe(`/stickers/${animated.pack_key}`);
    expect(await page.locator('[data-like-count]').textContent()).toBe(String(before.like + 1));
  });

  it('moves an animated sticker that is pointed at or focused, and lets it rest again', async () => {
    const { page } = await visit(`/stickers/${animated.pack_key}`);
    const picture = page.locator('.sticker img').nth(2);
    const source = async (): Promise<string> => (await picture.getAttribute('src')) ?? '';
    const rested = await source();
    expect(rested).toContain('variant=preview');
    const becomes = async (isMoving: boolean): Promise<unknown> =>
      await waitFor(async () => !(await source()).includes('variant=preview') === isMoving, {
        ...patience,
        description: isMoving ? 'movement' : 'rest',
      });

    await picture.hover();
    await becomes(true);
    expect(await source()).toBe(await picture.getAttribute('data-animated-src'));
    await page.mouse.move(5, 5);
    await becomes(false);
    await page.locator('.sticker a').nth(2).focus();
    await becomes(true);
    await page.locator('.sticker a').nth(3).focus();
    await becomes(false);
    expect(await source()).toBe(rested);
  });

  it('moves nothing by itself for whoever prefers less motion, only on a click', async () => {
    const { page } = await visit(`/stickers/${animated.pack_key}`, { reducedMotion: 'reduce' });
    const picture = page.locator('.sticker img').nth(1);

    await picture.hover();
    await page.mouse.move(5, 5);
    const fetched = await page.evaluate<string[]>(
      `performance.getEntriesByType('resource').map(({ name }) => name).filter((name) => /\\.webp(?!.*variant=preview)/.test(name) && name.includes('/api/'))`,
    );
    expect(fetched).toEqual([]);

    await picture.click();
    await waitFor(async () => !((await picture.getAttribute('src')) ?? '').includes('preview'), {
      ...patience,
      description: 'movement',
    });
  });

  it('shares by WhatsApp with the command for the bot and the link, and offers what the pack can become', async () => {
    const links = async (pack: PackSummaryJson): Promise<string[]> => {
      const { page } = await visit(`/stickers/${pack.pack_key}`);
      const share = new URL((await page.getByRole('link', { name: /Share on WhatsApp/ }).getAttribute('href')) ?? '');
      expect([share.origin, share.searchParams.get('text')]).toEqual([
        'https://wa.me',
        `/pack send ${pack.pack_key}\n${fleet.apiUrl}/stickers/${pack.pack_key}`,
      ]);
      const found = await Promise.all(
        (await page.locator('a[download]').all()).map((link) => link.getAttribute('href')),
      );
      return found.map((href) => href?.replace(`/api/sticker-packs/${pack.pack_key}/`, '') ?? '');
    };
    const forWhatsapp = ['download.wastickers', 'download.whatsapp.zip'];

    expect(await links(still)).toEqual([...forWhatsapp, 'download.telegram.zip', 'download.signal.zip']);
    expect(await links(animated)).toEqual(forWhatsapp);
  });
});
