import { describe, expect, it } from '@jest/globals';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { alerts, periodDays } from '../slo.ts';
import { buildDashboards, generateDashboards, panelQueries } from './dashboards.ts';
import { findLayoutProblems } from './layout.ts';

const root = path.join(import.meta.dirname, '../..');

describe('the dashboards', () => {
  it('are seven, each with an address of its own that follows from its file', () => {
    const files = readdirSync(path.join(import.meta.dirname, 'dashboards')).toSorted();
    const committed = files.map(
      (file) => JSON.parse(readFileSync(path.join(import.meta.dirname, 'dashboards', file), 'utf8')) as { uid: string },
    );
    expect(files).toHaveLength(7);
    expect(committed.map(({ uid }) => uid)).toEqual(files.map((file) => `omnizap-${path.basename(file, '.json')}`));
  });

  it('are committed as they are made, which is the same each time', () => {
    for (const [file, text] of generateDashboards()) expect(readFileSync(path.join(root, file), 'utf8')).toBe(text);
    expect([...generateDashboards()]).toEqual([...generateDashboards()]);
  });

  it('are in the classic schema', () => {
    for (const dashboard of buildDashboards()) {
      expect(dashboard).toMatchObject({ schemaVersion: 42, editable: false, tags: ['omnizap'] });
      expect(dashboard).not.toHaveProperty('apiVersion');
      expect(dashboard).not.toHaveProperty('elements');
    }
  });

  it('show every metric of the queues, by name', () => {
    const text = panelQueries()
      .map(({ expr }) => expr)
      .join('\n');
    for (const name of ['omnizap_queue_depth', 'omnizap_queue_oldest_age_seconds', 'omnizap_task_depth'])
      expect(text).toContain(name);
  });

  it('hide no link in a menu, and ask for every number as it is now: what is gone must not stand there frozen', () => {
    for (const dashboard of buildDashboards()) {
      expect(JSON.stringify(dashboard).includes('inControlsMenu')).toBe(false);
      const numbers = (dashboard.panels ?? []).filter(({ type }) => type === 'stat');
      for (const number of numbers) {
        expect(number).toMatchObject({ options: { reduceOptions: { calcs: ['lastNotNull'] }, graphMode: 'none' } });
        for (const target of ('targets' in number && number.targets) || [])
          expect(target).toMatchObject({ instant: true, range: false });
      }
    }
  });

  it('tell which process an alert is about', () => {
    const [{ expr } = { expr: '' }] = panelQueries().filter(({ panel }) => panel === 'Alerts now');
    expect(/without \(([^)]*)\)/.exec(expr)?.[1]?.split(', ')).toEqual(['job', 'version', 'release']);
  });

  it('link to each other, with the time and what was chosen', () => {
    for (const { links } of buildDashboards())
      expect(links).toEqual([
        expect.objectContaining({ type: 'dashboards', tags: ['omnizap'], keepTime: true, includeVars: true }),
      ]);
  });

  it('lead from the overview to boards that exist', () => {
    const uids = new Set(buildDashboards().map(({ uid }) => uid));
    const [overview] = buildDashboards();
    const targets = (overview?.panels ?? []).flatMap((panel) =>
      ('links' in panel ? (panel.links ?? []) : []).map(({ url }) => /^\/d\/([\w-]+)\?/.exec(url ?? '')?.[1]),
    );
    expect(new Set(targets).size).toBeGreaterThan(3);
    expect(targets.filter((uid) => uid === undefined || !uids.has(uid))).toEqual([]);
  });
});

describe('the page about them', () => {
  const page = readFileSync(path.join(root, 'runbooks/dashboards.md'), 'utf8');

  it('has every dashboard', () => {
    for (const { title = '' } of buildDashboards()) expect(page).toContain(`| ${title.replace('OmniZap / ', '')} |`);
  });

  it('has Prometheus keep what budgets are counted over, as Docker Compose has', () => {
    const compose = readFileSync(path.join(root, 'docker-compose.yml'), 'utf8');
    for (const text of [page, compose]) {
      const days = Array.from(text.matchAll(/--storage\.tsdb\.retention\.time=(\d+)d/g), ([, count]) => Number(count));
      expect(days.filter((count) => count > periodDays)).toHaveLength(1);
    }
  });

  it('sends people there from alerts that exist', () => {
    const [, rows = ''] = page.split('## Which one');
    const named = Array.from(rows.split('\n\n')[0]?.matchAll(/`([A-Z]\w+)`/g) ?? [], ([, name]) => name);
    expect(named.length).toBeGreaterThan(10);
    expect(
      named.filter((name) => !['Http', 'Database'].includes(name ?? '') && !alerts.some((one) => one.name === name)),
    ).toEqual([]);
  });
});

describe('the queries of panels', () => {
  it('are handed out with every variable filled in', () => {
    const queries = panelQueries({ job: 'omnizap', instance: '127.0.0.1:9102', rateInterval: '2m' });
    expect(queries.length).toBeGreaterThan(150);
    expect(queries.filter(({ expr }) => expr.includes('$'))).toEqual([]);
    expect(queries.find(({ panel }) => panel === 'Processor')?.expr).toBe(
      'sum by (process, instance) (rate(process_cpu_seconds_total{job=~"omnizap",instance=~"127.0.0.1:9102",process!=""}[2m]))',
    );
  });
});

describe('the layout of a dashboard', () => {
  const panel = (title: string, id: number, x: number, y: number, w = 12, h = 8) => ({
    ...{ type: 'stat', transparent: false, repeatDirection: 'h' as const },
    ...{ title, id, gridPos: { x, y, w, h } },
  });
  const problemsOf = (...panels: ReturnType<typeof panel>[]): string[] =>
    findLayoutProblems({ ...buildDashboards()[0], title: 'D', panels } as Parameters<typeof findLayoutProblems>[0]);

  it('has no fault where panels stand beside and below each other', () => {
    expect(problemsOf(panel('a', 1, 0, 0), panel('b', 2, 12, 0), panel('c', 3, 0, 8))).toEqual([]);
  });

  it.each([
    ['a panel on top of another', panel('b', 2, 6, 4), 'b covers a'],
    ['a panel that is too wide', panel('b', 2, 16, 0), 'beyond column 24'],
    ['a panel without a size', panel('b', 2, 12, 0, 0), 'no size'],
    ['an id that is there twice', panel('b', 1, 12, 0), 'has the id of another'],
    ['a name that is there twice', panel('a', 2, 12, 0), 'a is there twice'],
  ])('shows %s', (_, second, problem) => {
    expect(problemsOf(panel('a', 1, 0, 0), second)).toEqual([expect.stringContaining(problem)]);
  });
});
