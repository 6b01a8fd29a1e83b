import { describe, expect, it } from '@jest/globals';
import { isTracingWanted, tracingObstacle } from './tracing-settings.ts';

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };
const traces = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:4318/v1/traces' };

describe('tracing', () => {
  it('is wanted where there is an endpoint, or a file that says one, and nobody has switched it off', () => {
    const on = [
      endpoint,
      traces,
      { OTEL_CONFIG_FILE: 'traces.yaml' },
      { ...endpoint, OTEL_SDK_DISABLED: 'false' },
      { ...endpoint, OTEL_TRACES_EXPORTER: 'zipkin' },
    ];
    expect(on.filter((environment) => !isTracingWanted(environment))).toEqual([]);
    const off = [
      {},
      { OTEL_EXPORTER_OTLP_ENDPOINT: ' ' },
      { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://127.0.0.1:4318' },
      { ...endpoint, OTEL_SDK_DISABLED: 'TRUE' },
      ...['none', 'NONE', 'otlp,none', ' none '].map((exporter) => ({ ...traces, OTEL_TRACES_EXPORTER: exporter })),
    ];
    expect(off.filter(isTracingWanted)).toEqual([]);
  });

  it.each([
    endpoint,
    traces,
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector/otlp', OTEL_TRACES_EXPORTER: 'otlp, console' },
    { ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json', OTEL_TRACES_EXPORTER: '' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: '127.0.0.1:4317', OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'grpc' },
    { ...traces, OTEL_EXPORTER_OTLP_ENDPOINT: 'of no use to traces' },
  ])('can be started with %j', (environment) => {
    expect(tracingObstacle(environment)).toBeUndefined();
  });

  it.each([
    ['OTEL_CONFIG_FILE', { ...endpoint, OTEL_CONFIG_FILE: '/etc/secret.yaml' }],
    ['OTEL_TRACES_EXPORTER', { ...endpoint, OTEL_TRACES_EXPORTER: 'secret' }],
    ['OTEL_TRACES_EXPORTER', { ...endpoint, OTEL_TRACES_EXPORTER: 'otlp,secret' }],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', { ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'secret' }],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', { OTEL_EXPORTER_OTLP_ENDPOINT: '127.0.0.1:4318/secret' }],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', { OTEL_EXPORTER_OTLP_ENDPOINT: 'secret:4318' }],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', { ...endpoint, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'secret' }],
  ])('says that %s stands in its way, without the value: %j', (name, environment) => {
    expect(tracingObstacle(environment)).toContain(name);
    expect(tracingObstacle(environment)).not.toContain('secret');
  });
});
