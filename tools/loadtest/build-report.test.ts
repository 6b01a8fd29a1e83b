import { describe, expect, it } from '@jest/globals';
import { renderHtmlReport } from './html-report.ts';
import { printReport } from './print-report.ts';
import type { RequestGroup } from './request-mix.ts';
import { sampleReport } from './sample-report.ts';

const group = (label: string, method: 'GET' | 'POST', different: number): RequestGroup => ({
  label,
  weight: 1,
  requests: Array.from({ length: different }, (_none, index) => ({ method, path: `/${label}/${index}` })),
  isSkewed: false,
});

describe('the report', () => {
  // 3,000 requests in turn: 1,000 of each kind.
  const report = sampleReport({
    latencyMs: 20,
    seed: 1,
    groups: [group('list', 'GET', 5), group('open', 'POST', 400), group('like', 'POST', 2_000)],
    leftOut: ['list next page'],
  });
  const texts = [printReport(report), renderHtmlReport(report)];

  it('says how many opens and likes could count: each of one viewer for one pack once, and not more than were sent', () => {
    expect(report.votes).toEqual({ sent: 2_000, can_count: 1_400 });
    for (const text of texts) expect(text).toMatch(/2,000[^.]* at most 1,400 could count/);
    expect(sampleReport({ latencyMs: 20, seed: 1, args: ['--mix', 'reads'] }).votes).toBeNull();
  });

  it('names what the catalogue had nothing for', () => {
    expect(report.left_out).toEqual(['list next page']);
    for (const text of texts) expect(text).toContain('list next page: the catalogue has nothing for it');
  });
});
