import { describe, expect, it } from '@jest/globals';
import { contractMetrics, metricOfSeries } from './metric-names.ts';

describe('the metrics of the contract', () => {
  const metrics = contractMetrics();

  it('are read with their labels and types', () => {
    expect(metrics.get('omnizap_http_requests_total')).toEqual({
      type: 'counter',
      labels: ['method', 'route_group', 'status_class'],
    });
    expect(metrics.get('omnizap_http_request_duration_ms')?.type).toBe('histogram');
    expect(metrics.get('omnizap_outbox_relay_lag_seconds')).toEqual({ type: 'gauge', labels: [] });
    expect(metrics.size).toBeGreaterThan(35);
  });

  it('have the series that their type has', () => {
    expect(metricOfSeries(metrics, 'omnizap_http_request_duration_ms_bucket')).toBe('omnizap_http_request_duration_ms');
    expect(metricOfSeries(metrics, 'omnizap_http_request_duration_ms')).toBeUndefined();
    expect(metricOfSeries(metrics, 'omnizap_http_requests_total')).toBe('omnizap_http_requests_total');
    expect(metricOfSeries(metrics, 'omnizap_http_requests_total_count')).toBeUndefined();
    expect(metricOfSeries(metrics, 'omnizap_requests_total')).toBeUndefined();
  });

  it('cannot be named twice with different labels, or without their section', () => {
    const page = (...names: string[]): string => `## 7. Metrics\n${names.join(', ')}\n## 8. CLI\n`;
    expect(() => contractMetrics(page('`omnizap_a{b}`', '`omnizap_a{c}`'))).toThrow('omnizap_a with different labels');
    expect([...contractMetrics(page('`omnizap_a{b}`', '`omnizap_a{b}`')).keys()]).toEqual(['omnizap_a']);
    expect(() => contractMetrics('## 6. Flags')).toThrow('section 7');
  });
});
