import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { renderHtmlReport } from './html-report.ts';
import { sampleReport } from './sample-report.ts';

const attack = `/<img src=x onerror="alert('1')">&`;
const report = sampleReport({
  latencyMs: 20,
  seed: 1,
  paths: [attack],
  outcomeOf: (request) =>
    request === 5 ? { kind: 'failed', error: 'timeout', message: attack } : { kind: 'answered', status: 200 },
});
const page = renderHtmlReport(report);

describe('the HTML report', () => {
  it('shows the figures, and escapes what comes from outside', () => {
    expect(page).toContain('passed');
    expect(page).toContain('3,000');
    expect(page).toContain('/&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;');
    expect(page).not.toContain('<img');
    expect(page).not.toMatch(/NaN|undefined/);
  });

  it('loads nothing, runs nothing, and its content policy allows its own style alone', () => {
    expect(page).not.toMatch(
      /<script|<link|<iframe|<object|\sstyle=|\son\w+="|url\(|@import|https?:\/\/(?!127\.0\.0\.1)/,
    );
    const style = page.match(/<style>([^]*?)<\/style>/)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    expect(page).toContain(`default-src 'none'; style-src 'sha256-${hash}'`);
  });

  it('marks a closed loop, limits and an unreliable generator', () => {
    const closed = sampleReport({
      latencyMs: 20,
      seed: 1,
      args: ['--concurrency', '8'],
      outcomeOf: () => ({ kind: 'answered', status: 429 }),
    });
    closed.generator.reasons.push('it was busy');
    const text = renderHtmlReport(closed);
    expect(text).toContain('closed loop: latencies hide queueing');
    expect(text).toContain('3,000 requests were refused with 429');
    expect(text).toContain('it was busy');
  });

  it('has the queues, the knee and the comparison when they are there', () => {
    const whole = sampleReport({ latencyMs: 20, seed: 1 });
    whole.queue = {
      unknown: null,
      before: { a_pending: 1 },
      peak: { a_pending: 77 },
      after: { a_pending: 1 },
      depth_before: 1,
      depth_peak: 77,
      depth_after: 1,
      recovery_seconds: 12,
      recovery_limit_seconds: 900,
      samples: [
        { at_seconds: 0, depth: 1 },
        { at_seconds: 2, depth: 77 },
      ],
    };
    whole.knee = {
      p99_limit_ms: 100,
      rate_rps: 400,
      limited_by: 'latency',
      steps: [{ rate_rps: 400, achieved_rps: 399, p99_ms: 80, passed: true, reason: null }],
    };
    whole.comparison = {
      baseline: 'b.json',
      baseline_started_at: 'then',
      other_machine: ['cores 2 against 4'],
      worse_than_ratio: 0.1,
      is_worse: true,
      figures: [
        { name: 'p95_ms', baseline: 10, is: 20, ratio: 2, interval: { low: 1.8, high: 2.2 }, judgement: 'worse' },
      ],
    };
    const text = renderHtmlReport(whole);
    expect(text).toContain('Back to normal 12 s after');
    expect(text).toContain('400 requests per second is the highest rate');
    expect(text).toContain('1.800 to 2.200');
    expect(text).toContain('another machine: cores 2 against 4');
  });
});
