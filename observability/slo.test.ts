import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { alertCases } from './cases/alert-cases.ts';
import { parseQuery } from './grafana/promql.ts';
import { alertGroups, alerts, burnWindows, httpFloor, objectives, slowReadMs, sloRouteGroups } from './slo.ts';

const root = path.resolve(import.meta.dirname, '..');
const names = alerts.map(({ name }) => name);
const contract = readFileSync(path.join(root, 'runbooks/contract.md'), 'utf8');

type GateFile = {
  gates: Record<string, { where: { route_group: string[] }; of?: object; window: string; pass: { at_most: number } }>;
};

describe('the objectives', () => {
  it('cover the route groups that the contract names', () => {
    const sentence = /The HTTP SLO covers ([^.]*)\./.exec(contract)?.[1] ?? '';
    const wanted = sentence.replaceAll(' and ', ', ').split(', ');
    const isCovered = (group: string): boolean =>
      wanted.some((name) => (name.endsWith('*') ? group.startsWith(name.slice(0, -1)) : group === name));
    const all = [...contract.matchAll(/catalog_[a-z_]+|marketplace_stats/g)].map(([group]) => group);
    const groups = [...new Set(all)].filter((group) => !group.endsWith('_'));
    expect([...sloRouteGroups].toSorted()).toEqual(groups.filter(isCovered).toSorted());
  });

  it('are judged at an edge of a bucket', () => {
    const buckets = /`omnizap_http_request_duration_ms\{[^}]*\}` \(histogram; buckets ([\d,]+)\)/.exec(contract)?.[1];
    for (const edge of [slowReadMs, httpFloor.p95Ms, httpFloor.p99Ms])
      expect(buckets?.split(',')).toContain(String(edge));
  });

  it('have budgets that the windows can tell from an outage', () => {
    const fastest = Math.max(...burnWindows.map(({ factor }) => factor));
    for (const { target } of objectives) expect((1 - target) * fastest).toBeLessThan(0.2);
  });

  it('have the windows of thirty days: so much of the budget within the long one, and a short one of a twelfth', () => {
    const hours = (text: string): number =>
      Number.parseInt(text, 10) * { m: 1 / 60, h: 1, d: 24 }[text.slice(-1) as 'm' | 'h' | 'd'];
    expect(burnWindows.map(({ factor, long }) => (factor * hours(long)) / (30 * 24))).toEqual([0.02, 0.05, 0.1, 0.1]);
    for (const { long, short } of burnWindows) expect(hours(long) / hours(short)).toBe(12);
  });
});

describe('the floors', () => {
  it('are those of the gates of rollouts', () => {
    const { gates } = parse(readFileSync(path.join(root, 'deploy/rollout/gates.yaml'), 'utf8')) as GateFile;
    const { http_p95: p95, http_p99: p99, http_errors: errors } = gates;
    expect([p95?.pass.at_most, p99?.pass.at_most, errors?.pass.at_most]).toEqual([
      httpFloor.p95Ms,
      httpFloor.p99Ms,
      httpFloor.errorRatio,
    ]);
    for (const gate of [p95, p99, errors]) {
      expect(gate?.window).toBe(`${httpFloor.windowSeconds / 60}m`);
      expect(gate?.where.route_group).toEqual([...sloRouteGroups]);
    }
    expect(errors?.of).toEqual({ status_class: ['5xx', 'timeout'] });
  });
});

describe('the alerts', () => {
  it('have names of their own, in PascalCase', () => {
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => !/^([A-Z][a-z]+)+$/.test(name))).toEqual([]);
  });

  it('belong to groups that are rendered, and each group has some', () => {
    expect([...new Set(alerts.map(({ group }) => group))].toSorted()).toEqual([...alertGroups].toSorted());
  });

  it.each(alerts)('$name compares with its limit, and says it in words', ({ expression, limit, condition }) => {
    expect(expression).toContain('$limit');
    const said = condition.replaceAll(/(\d),(\d)/g, '$1$2');
    const inWords = [limit, limit * 100, limit * 1_000, limit / 60].map((value) => String(Number(value.toFixed(6))));
    expect(inWords.some((value) => said.includes(value)) || limit === 0 || /no (?:target|process)/.test(said)).toBe(
      true,
    );
  });

  it.each(alerts)('$name has series that fire it, and series that keep it silent', ({ name, for: wait }) => {
    const cases = alertCases[name];
    expect(cases?.fires.length).toBeGreaterThan(0);
    expect(cases?.silent.length).toBeGreaterThan(0);
    expect(cases?.fires.some(({ notYetAt }) => notYetAt !== undefined)).toBe(wait !== '0s');
  });

  it('have no cases of alerts that are gone', () => {
    expect(Object.keys(alertCases).filter((name) => !names.includes(name))).toEqual([]);
  });

  it('name causes that exist', () => {
    const unknown = alerts.flatMap(({ name, inhibitedBy }) =>
      inhibitedBy.filter(({ alert }) => !names.includes(alert)).map(({ alert }) => `${name}: ${alert}`),
    );
    expect(unknown).toEqual([]);
  });

  it('are held to their causes by labels that both have: to Alertmanager, what neither has is the same', () => {
    const labelsOf = (name: string): string[] => {
      const { expression = '' } = alerts.find((alert) => alert.name === name) ?? {};
      const { grouping, selectors } = parseQuery(expression.replaceAll('$limit', '0'));
      // A recorded series is named after the labels that it has left; `up` is there for each target.
      const levels = selectors.map(({ metric }) => metric.split(':')[0] ?? '');
      return [...grouping, ...levels, ...(levels.includes('up') ? ['process', 'instance'] : [])];
    };
    const wrong = alerts.flatMap(({ name, inhibitedBy }) =>
      inhibitedBy.flatMap(({ alert, where = {}, equal = [] }) => [
        ...[...Object.keys(where), ...equal]
          .filter((label) => !labelsOf(alert).includes(label))
          .map((label) => `${alert}: ${label}`),
        ...equal.filter((label) => !labelsOf(name).includes(label)).map((label) => `${name}: ${label}`),
      ]),
    );
    expect(wrong).toEqual([]);
  });

  it('are silenced by none that is for later than they are', () => {
    const order = ['critical', 'high', 'medium'];
    const rankOf = new Map(alerts.map(({ name, severity }) => [name, order.indexOf(severity)]));
    const lesser = alerts.flatMap(({ name, severity, inhibitedBy }) =>
      inhibitedBy
        .filter(({ alert }) => (rankOf.get(alert) ?? 0) > order.indexOf(severity))
        .map(({ alert }) => `${name}: ${alert}`),
    );
    expect(lesser).toEqual([]);
  });

  it('never silence each other in a circle: then nobody would be told', () => {
    const causesOf = new Map(alerts.map(({ name, inhibitedBy }) => [name, inhibitedBy]));
    const leadsTo = (from: string, wanted: string, seen = new Set<string>()): boolean =>
      (causesOf.get(from) ?? []).some(({ alert: cause }) => {
        if (cause === wanted) return true;
        if (seen.has(cause)) return false;
        seen.add(cause);
        return leadsTo(cause, wanted, seen);
      });
    expect(names.filter((name) => leadsTo(name, name))).toEqual([]);
  });
});
