import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { alertSections } from './alert-pages.ts';
import { findRuleProblems } from './check/rule-problems.ts';
import { alertPageOf, alerts } from './slo.ts';

const root = path.resolve(import.meta.dirname, '..');
const textOf = (page: string): string => readFileSync(path.join(root, page), 'utf8');

describe('pages of alerts', () => {
  it('are there for every alert and for nothing else', () => {
    const pages = readdirSync(path.join(root, 'runbooks/alerts')).filter((name) => name !== 'README.md');
    expect(pages.toSorted()).toEqual(alerts.map(({ name }) => `${name}.md`).toSorted());
  });

  it.each(alerts)(
    '$name: says what the data say, and what to do',
    ({ name, severity, condition, action, for: wait }) => {
      const text = textOf(alertPageOf(name));
      for (const fact of [`# ${name}\n`, `**${severity}**`, condition, action, `after ${wait}`])
        expect(text).toContain(fact);
      const sections = text.split(/^## /m).slice(1);
      expect(sections.map((section) => section.split('\n')[0])).toEqual([...alertSections]);
      for (const section of sections) expect(section.split('\n').slice(1).join('').length).toBeGreaterThan(10);
      expect(text.split('\n').length).toBeLessThan(60);
    },
  );

  it.each(alerts)('$name: is a line of the index', ({ name, severity }) => {
    expect(textOf('runbooks/alerts/README.md')).toContain(`| [${name}](${name}.md) | ${severity} |`);
  });

  it.each(alerts)('$name: names metrics that exist', async ({ name }) => {
    const quoted = [...textOf(alertPageOf(name)).matchAll(/`([^`\n]*(?:omnizap_|nodejs_)[^`\n]*)`/g)];
    const expressions = quoted.flatMap(([, text = '']) => (text.startsWith('STICKER') ? [] : [{ of: name, text }]));
    expect(await findRuleProblems(expressions)).toEqual([]);
  });
});
