/** An owner at work: from the key to a published pack, by mouse and by keyboard, in a real browser on a real fleet. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createCatalogueClient, drawPng, openBrowser, startFleet, waitFor } from '@omnizap/testkit';
import type { CatalogueClient, Fleet, Owner, TestBrowser, Visit, VisitOptions } from '@omnizap/testkit';
import { drop, holdAnswers, patience, requestsOf, says, shown } from './owner-visit.ts';
import { pictures } from './pictures.ts';

const screens = {
  desktop: { viewport: 'desktop' },
  'desktop in the dark': { viewport: 'desktop', colorScheme: 'dark' },
  phone: { viewport: 'phone', locale: 'pt-BR', deviceScaleFactor: 2 },
  'phone in the dark': { viewport: 'phone', colorScheme: 'dark' },
} as const satisfies Record<string, VisitOptions>;

describe("the owner's page in a browser", () => {
  let fleet: Fleet;
  let browser: TestBrowser;
  let owner: Owner;
  let own: CatalogueClient;
  const visits: Visit[] = [];

  beforeAll(async () => {
    [fleet, browser] = await Promise.all([
      startFleet('postgres', { processes: ['api', 'relay', 'worker-classification', 'worker-rebuild', 'maintenance'] }),
      openBrowser(),
    ]);
    owner = await fleet.createOwner();
    own = createCatalogueClient(fleet.apiUrl, owner.key);
  }, 240_000);
  afterEach(async () => {
    await Promise.all(visits.splice(0).map((visit) => visit.close()));
  });
  afterAll(async () => {
    await browser?.close();
    await fleet?.stop();
  }, 60_000);

  async function visit(options: VisitOptions = {}): Promise<Visit> {
    const one = await browser.visit(options);
    visits.push(one);
    await one.page.goto(`${fleet.apiUrl}/user`);
    return one;
  }
  async function signIn(options: VisitOptions = {}): Promise<Visit> {
    const one = await visit(options);
    await one.page.locator('input[name=key]').fill(owner.key);
    await one.page.keyboard.press('Enter');
    await one.page.locator('[data-csrf-token]').waitFor();
    return one;
  }
  const stored = async (packKey: string): Promise<string[]> =>
    (await own.pack(packKey)).stickers.map((sticker) => sticker.sticker_id);
  async function packOf(count: number): Promise<{ packKey: string; ids: string[] }> {
    const packKey = await own.createPack({ name: `Pack of ${count}` });
    const ids = await own.addStickers(
      packKey,
      Array.from({ length: count }, (_, index) => ({ bytes: drawPng(100 * count + index), emojis: ['🐱'] })),
    );
    return { packKey, ids };
  }
  /** Nothing of it is pending: its page does not look again by itself. */
  async function readyPackOf(count: number): Promise<{ packKey: string; ids: string[] }> {
    const pack = await packOf(count);
    await waitFor(async () => (await own.pack(pack.packKey)).stickers.every(({ status }) => status === 'ready'), {
      ...patience,
      description: 'pictures',
    });
    return pack;
  }
  async function openPack(packKey: string): Promise<Visit> {
    const one = await signIn();
    await one.page.goto(`${fleet.apiUrl}/user/packs/${packKey}`);
    return one;
  }

  it('says of a wrong key only that it is not valid', async () => {
    const { page } = await visit();
    await page.locator('input[name=key]').fill('oz_wrong');
    await page.keyboard.press('Enter');

    await page.getByRole('alert').waitFor();
    expect(await page.getByRole('alert').textContent()).toBe('This key is not valid.');
    expect(await page.locator('input[name=key]').inputValue()).toBe('');
    expect(page.url()).not.toContain('oz_');
  });

  it('makes a pack, takes files that are dropped, says what is wrong with one, orders, publishes and signs out', async () => {
    const one = await signIn();
    const { page, context } = one;
    await page.getByLabel('Name').fill('Made by hand');
    await page.getByLabel('Publisher').fill('Ana');
    await page.getByRole('button', { name: 'Make pack' }).click();
    await page.waitForURL(/\/user\/packs\/made-by-hand-\w+$/);
    const packKey = page.url().split('/').at(-1) ?? '';

    await drop(one, [
      { name: 'first.png', mimeType: 'image/png', buffer: drawPng(1) },
      { name: 'notes.png', mimeType: 'image/png', buffer: Buffer.from('These are no pixels.') },
      { name: 'second.webp', mimeType: 'image/webp', buffer: await pictures.compliantWebp(2) },
      { name: 'third.jpg', mimeType: 'image/jpeg', buffer: await pictures.jpeg(3) },
    ]);
    await says(one, '3 added, 1 refused');
    const rows = await page.locator('.upload').allTextContents();
    expect(rows).toEqual([
      expect.stringMatching(/^first\.pngAdded.*webp-format.*mended by itself/),
      expect.stringMatching(/^notes\.pngRefused.*image-unsupported .{20,}/),
      expect.stringMatching(/^second\.webpAdded/),
      expect.stringMatching(/^third\.jpgAdded.*webp-format/),
    ]);
    // The API's own words, asked apart.
    const refusal = await own.addSticker(packKey, { bytes: Buffer.from('These are no pixels.') });
    expect(rows[1]).toContain(refusal.json<{ detail: string }>().detail);
    const accepted = await own.addSticker(packKey, { bytes: drawPng(1) });
    const [finding] = accepted.json<{ data: { findings: { message: string }[] } }>().data.findings;
    expect(rows[0]).toContain(finding?.message);

    expect(await stored(packKey)).toEqual(await shown(one));
    // Their pictures come by themselves, in the order of the files.
    await page.locator('.owned-sticker[data-status=ready] img').nth(2).waitFor({ timeout: patience.timeoutMs });
    const [a = '', b = '', c = ''] = await shown(one);

    const [from, to] = [page.locator('.owned-picture').nth(0), page.locator('.owned-picture').nth(2)];
    await from.hover();
    await page.mouse.down();
    await to.hover();
    await page.mouse.up();
    await says(one, 'The order is saved.');
    expect(await shown(one)).toEqual([b, c, a]);
    expect(await stored(packKey)).toEqual([b, c, a]);

    const up = page.locator(`[data-sticker="${a}"] [data-move="-1"]`);
    await up.focus();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Space');
    await waitFor(async () => (await stored(packKey)).join() === [a, b, c].join(), {
      ...patience,
      description: 'the order by keyboard',
    });
    expect(await shown(one)).toEqual([a, b, c]);
    expect(await page.evaluate('document.activeElement.closest("[data-sticker]").dataset.sticker')).toBe(a);
    expect(await up.getAttribute('aria-disabled')).toBe('true');

    await page.getByRole('button', { name: 'Publish' }).click();
    await says(one, 'The pack is published.');
    expect(await page.locator('.state.published').count()).toBe(1);
    await page.getByRole('link', { name: 'See its page' }).click();
    await page.waitForURL(`${fleet.apiUrl}/stickers/${packKey}`);
    expect(await page.locator('h1').textContent()).toBe('Made by hand');

    await page.goto(`${fleet.apiUrl}/user`);
    expect(await page.locator('.card-name').allTextContents()).toContain('Made by hand');
    expect((await context.cookies(`${fleet.apiUrl}/stickers`)).map(({ name }) => name)).not.toContain(
      'omnizap_session',
    );
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.locator('input[name=key]').waitFor();
    expect((await context.cookies(`${fleet.apiUrl}/user`)).map(({ name }) => name)).not.toContain('omnizap_session');
    // The refused file alone.
    expect(one.problems()).toEqual([expect.stringMatching(/^console: .*415/)]);
  }, 180_000);

  it('takes files by its button and shows how far each is', async () => {
    const { packKey } = await packOf(1);
    const one = await signIn();
    const { page } = one;
    await page.goto(`${fleet.apiUrl}/user/packs/${packKey}`);
    const held: (() => Promise<void>)[] = [];
    let isHolding = true;
    await page.route(/\/stickers$/, async (route) => {
      if (isHolding) held.push(() => route.continue());
      else await route.continue();
    });

    await page.locator('[data-files]').setInputFiles([
      { name: 'one.png', mimeType: 'image/png', buffer: drawPng(11) },
      { name: 'two.png', mimeType: 'image/png', buffer: drawPng(12) },
    ]);
    await waitFor(() => held.length === 1, { ...patience, description: 'the first file to be sent' });
    expect(await page.locator('.upload progress').count()).toBe(2);
    expect(await page.locator('.upload-state').nth(1).textContent()).toBe('Waiting');
    isHolding = false;
    await held[0]?.();

    await says(one, '2 added, 0 refused');
    expect(await page.locator('.upload progress').count()).toBe(0);
    expect((await stored(packKey)).length).toBe(3);
  });

  it('takes an order back that could not be saved, and says why', async () => {
    const { packKey, ids } = await packOf(2);
    const one = await signIn();
    const { page } = one;
    await page.goto(`${fleet.apiUrl}/user/packs/${packKey}`);
    await own.call('DELETE', `/api/sticker-packs/${packKey}/stickers/${ids[1]}`);

    await page.locator('[data-move="1"]').first().click();

    await says(one, `${ids[1]} is not in the pack`);
    await waitFor(async () => (await shown(one)).join() === ids[0], {
      ...patience,
      description: 'the stickers as they are',
    });
  });

  it('keeps what was moved when the page as it was before comes late, and looks again', async () => {
    const { packKey, ids } = await readyPackOf(3);
    const [a = '', b = '', c = ''] = ids;
    const one = await openPack(packKey);
    const { page } = one;
    const late = await holdAnswers(one, 'GET', /\/user\/packs\//);
    await page.getByRole('button', { name: 'Publish' }).click();
    await late.isReached();
    await page.locator(`[data-sticker="${a}"] [data-move="1"]`).click();
    await says(one, 'The order is saved.');

    await late.release();

    await says(one, 'The pack is published.');
    expect(await shown(one)).toEqual([b, a, c]);
    await page.locator('.state.published').waitFor();
    await page.locator(`[data-sticker="${c}"] [data-move="-1"]`).click();
    await says(one, 'The order is saved.');
    expect(await stored(packKey)).toEqual([b, c, a]);
  });

  it('goes on with the files when the page breaks off on its way, and shows them as soon as it comes', async () => {
    const { packKey } = await readyPackOf(1);
    const one = await openPack(packKey);
    const { page } = one;
    // A route can refuse an answer, but not break one off in its middle.
    await page.evaluate(`(() => {
      const { fetch } = window;
      let count = 0;
      window.fetch = async (...request) => {
        const answer = await fetch(...request);
        count += 1;
        if (count === 1) answer.text = () => Promise.reject(new TypeError('network error'));
        return answer;
      };
    })()`);
    let refused = 0;
    await page.route(/\/user\/packs\//, async (route) => {
      refused += 1;
      if (refused === 2) await route.abort();
      else await route.fallback();
    });

    const input = page.locator('[data-files]');
    await input.setInputFiles(
      [21, 22].map((seed) => ({ name: `${seed}.png`, mimeType: 'image/png', buffer: drawPng(seed) })),
    );
    await says(one, '2 added, 0 refused');
    await page.locator('[data-sticker]').nth(2).waitFor();
    await input.setInputFiles([{ name: '23.png', mimeType: 'image/png', buffer: drawPng(23) }]);
    await says(one, '1 added, 0 refused');
    await page.locator('[data-sticker]').nth(3).waitFor();
    expect(one.problems().filter((problem) => problem.startsWith('script'))).toEqual([]);
  });

  it('takes a sticker out once, however often it is clicked, and names it in no order', async () => {
    const { packKey, ids } = await readyPackOf(4);
    const [a = '', b = '', c = '', d = ''] = ids;
    const one = await openPack(packKey);
    const { page } = one;
    const requests = requestsOf(one, /\/api\/sticker-packs\//);
    const slow = await holdAnswers(one, 'DELETE', /\/stickers\//);

    await page.locator(`[data-sticker="${b}"] [data-remove]`).dblclick();
    await slow.isReached();
    await page.evaluate(`document.querySelector('[data-sticker="${b}"] [data-remove]').click()`);
    await page.locator(`[data-sticker="${d}"] [data-move="-1"]`).click();
    await slow.release();

    await waitFor(async () => (await stored(packKey)).join() === [a, d, c].join(), {
      ...patience,
      description: 'the order of those that are left',
    });
    expect(await shown(one)).toEqual([a, d, c]);
    expect(requests).toEqual(['DELETE', `PUT ${JSON.stringify({ sticker_ids: [a, d, c] })}`]);
    expect(one.problems()).toEqual([]);
  });

  it('makes one pack of one form, though its answer is lost, then slow, and its button clicked again', async () => {
    const one = await signIn();
    const { page } = one;
    const keys: (string | undefined)[] = [];
    await page.route(/\/api\/sticker-packs$/, async (route) => {
      keys.push(route.request().headers()['idempotency-key']);
      const response = await route.fetch();
      if (keys.length === 1) await route.abort();
      else await route.fulfill({ response });
    });
    const slow = await holdAnswers(one, 'GET', /\/user\/packs\//);
    const open = page.locator('details:not([open]) > summary');
    if ((await open.count()) > 0) await open.click();
    await page.getByLabel('Name').fill('Only once');
    await page.getByRole('button', { name: 'Make pack' }).click();
    await says(one, 'That did not work.');

    // From within: clicks of the test's own would wait for the page that is on its way.
    let clicks = 0;
    page.on('console', (message) => (clicks += message.text() === 'clicked' ? 1 : 0));
    await page.evaluate(`setInterval(() => {
      document.querySelector('[data-new-pack] button').click();
      console.info('clicked');
    }, 50)`);
    await slow.isReached();
    const clicksBefore = clicks;
    await waitFor(() => clicks > clicksBefore + 2, { ...patience, description: 'clicks while the next page loads' });
    await slow.release();

    await page.waitForURL(/\/user\/packs\/only-once-\w+$/);
    expect(keys).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/), keys[0]]);
    const { data } = (await own.get('/api/me/sticker-packs')).json<{ data: { name: string }[] }>();
    expect(data.filter(({ name }) => name === 'Only once')).toHaveLength(1);
  });

  it('saves the words that were changed, and no others', async () => {
    const { packKey } = await packOf(1);
    const one = await openPack(packKey);
    const { page } = one;
    const requests = requestsOf(one, new RegExp(`/${packKey}$`));
    await own.call('PATCH', `/api/sticker-packs/${packKey}`, { body: { publisher: 'Somebody else' } });
    await page.locator('summary').click();
    for (const name of ['First', 'Second', 'Second']) {
      await page.getByLabel('Name', { exact: true }).fill(name);
      await page.getByRole('button', { name: 'Save' }).click();
      await says(one, 'Saved.');
      await page.evaluate(`document.querySelector('[data-owner-status]').textContent = ''`);
    }

    expect(requests).toEqual(['PATCH {"name":"First"}', 'PATCH {"name":"Second"}']);
    expect(await own.pack(packKey)).toMatchObject({ name: 'Second', publisher: 'Somebody else' });
  });

  it('sends no words in its address where no script runs', async () => {
    const { page } = await signIn({ javaScriptEnabled: false });
    expect(await page.locator('input[name=name]').isDisabled()).toBe(true);
    expect(await page.locator('[data-new-pack] button').isDisabled()).toBe(true);
  });

  it('says that one is signed out when the key is gone meanwhile', async () => {
    const leaver = await fleet.createOwner();
    const one = await visit();
    await one.page.locator('input[name=key]').fill(leaver.key);
    await one.page.keyboard.press('Enter');
    await one.page.getByLabel('Name').fill('Too late');
    await createCatalogueClient(fleet.apiUrl, fleet.adminToken).call('DELETE', `/api/admin/api-keys/${leaver.keyId}`);

    await one.page.getByRole('button', { name: 'Make pack' }).click();

    await says(one, 'You are signed out.');
  });

  it.each(Object.keys(screens) as (keyof typeof screens)[])(
    'is accessible, calm and within the screen on a %s',
    async (screen) => {
      const { packKey } = await readyPackOf(3);
      const looks = async (one: Visit): Promise<unknown[]> => [
        await one.seriousFindings(),
        await one.page.evaluate('document.documentElement.scrollWidth <= innerWidth'),
        (await one.layoutShift()) < 0.01,
        (await one.codeBytes()) < 25 * 1_024,
        one.problems(),
      ];
      const clean = [[], true, true, true, []];

      expect(await looks(await visit(screens[screen]))).toEqual(clean);
      const one = await signIn(screens[screen]);
      await one.page.goto(`${fleet.apiUrl}/user`, { waitUntil: 'networkidle' });
      expect(await looks(one)).toEqual(clean);
      await one.page.locator('summary').click();
      expect(await one.seriousFindings()).toEqual([]);
      await one.page.goto(`${fleet.apiUrl}/user/packs/${packKey}`, { waitUntil: 'networkidle' });
      await one.page.locator('summary').click();
      expect(await looks(one)).toEqual(clean);
      await one.page.locator('[data-files]').setInputFiles([
        { name: 'good.png', mimeType: 'image/png', buffer: drawPng(900) },
        { name: 'bad.png', mimeType: 'image/png', buffer: Buffer.from('none') },
      ]);
      await one.page.locator('.upload.is-refused').waitFor();
      expect(await one.seriousFindings()).toEqual([]);
    },
    90_000,
  );
});
