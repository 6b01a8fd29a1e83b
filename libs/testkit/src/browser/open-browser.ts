/**
 * A real browser for tests of pages. Each visit has storage and cookies of its own, and remembers what a page must not do: errors
 * in the console, requests that failed, and what its content policy refused.
 */
import axe from 'axe-core';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';

/** No sandbox: pages here are our own. The rest keeps the browser from calling its maker. */
const browserArgs = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const viewports = { desktop: { width: 1_280, height: 900 }, phone: { width: 390, height: 844 } } as const;

export type VisitOptions = Pick<
  BrowserContextOptions,
  'colorScheme' | 'javaScriptEnabled' | 'locale' | 'reducedMotion' | 'deviceScaleFactor'
> & { viewport?: keyof typeof viewports };

export type Visit = {
  page: Page;
  context: BrowserContext;
  /** One line for each thing that went wrong so far. */
  problems: () => string[];
  /** Findings of axe-core that are serious or critical: `rule: element`. */
  seriousFindings: () => Promise<string[]>;
  /** Sum of all layout shifts since the page began that no click or key led to. */
  layoutShift: () => Promise<number>;
  /** Bytes that came over the wire for scripts and styles of the page as it is now. */
  codeBytes: () => Promise<number>;
  close: () => Promise<void>;
};

export type TestBrowser = {
  visit: (options?: VisitOptions) => Promise<Visit>;
  close: () => Promise<void>;
};

const watchScript = `
  window.layoutShift = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.layoutShift += entry.value;
  }).observe({ type: 'layout-shift', buffered: true });
  document.addEventListener('securitypolicyviolation', (event) => {
    console.error('content policy: ' + event.violatedDirective + ' ' + event.blockedURI);
  });
`;

/** Which browser, and what it needs in its environment. */
export type BrowserInstallation = { executable: string; env: Record<string, string> };

/** Opens the browser of the test run, or another one. */
export async function openBrowser(installation: BrowserInstallation = browserOfTestRun()): Promise<TestBrowser> {
  const browser = await chromium.launch({
    executablePath: installation.executable,
    env: { ...(process.env as Record<string, string>), ...installation.env },
    args: browserArgs,
  });
  return { visit: (options = {}) => startVisit(browser, options), close: () => browser.close() };
}

/** @throws Error when `npm test` found none */
function browserOfTestRun(): BrowserInstallation {
  const found = process.env.OMNIZAP_TEST_CHROMIUM;
  if (found === undefined) throw new Error('There is no browser: run this by "npm test", which finds or fetches one.');
  return JSON.parse(found) as BrowserInstallation;
}

async function startVisit(browser: Browser, { viewport = 'desktop', ...options }: VisitOptions): Promise<Visit> {
  const isPhone = viewport === 'phone';
  const context = await browser.newContext({
    locale: 'en-US',
    ...options,
    viewport: viewports[viewport],
    isMobile: isPhone,
    hasTouch: isPhone,
  });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`script: ${error.message}`));
  page.on('requestfailed', (request) => {
    const reason = request.failure()?.errorText ?? '';
    // What a page no longer needs when it is left.
    if (reason !== 'net::ERR_ABORTED') problems.push(`request: ${request.url()} ${reason}`);
  });
  if (options.javaScriptEnabled !== false) await page.addInitScript({ content: watchScript });

  return {
    page,
    context,
    problems: () => [...problems],
    async seriousFindings() {
      await page.evaluate(axe.source);
      const { violations } = await page.evaluate<AxeResult>('axe.run(document, { resultTypes: ["violations"] })');
      return violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`));
    },
    layoutShift: () => page.evaluate<number>('window.layoutShift'),
    codeBytes: () =>
      page.evaluate<number>(`performance.getEntriesByType('resource')
        .filter(({ name }) => /\\.(js|css)(\\?|$)/.test(name))
        .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)`),
    close: () => context.close(),
  };
}

type AxeResult = {
  violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
};
