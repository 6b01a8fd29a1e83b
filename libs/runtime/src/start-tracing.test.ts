import { describe, expect, it } from '@jest/globals';
import { isTracingWanted, resourceDefaults } from './start-tracing.ts';

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };
const traces = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:4318/v1/traces' };

describe('tracing', () => {
  it('is wanted where there is an endpoint and nobody has switched it off', () => {
    expect([endpoint, traces, { ...endpoint, OTEL_SDK_DISABLED: 'false' }].map(isTracingWanted)).toEqual([
      true,
      true,
      true,
    ]);
    const off = [
      {},
      { OTEL_EXPORTER_OTLP_ENDPOINT: ' ' },
      { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://127.0.0.1:4318' },
      { ...endpoint, OTEL_SDK_DISABLED: 'TRUE' },
      { ...traces, OTEL_TRACES_EXPORTER: 'none' },
    ];
    expect(off.filter(isTracingWanted)).toEqual([]);
  });

  it('names the process where the environment does not', () => {
    const described = { name: 'relay', version: '1.2.3', release: 'canary' };
    const ours = {
      ...{ 'service.name': 'omnizap-relay', 'service.namespace': 'omnizap', 'service.version': '1.2.3' },
      'deployment.name': 'canary',
    };

    expect(resourceDefaults({}, described)).toEqual(ours);
    const named = resourceDefaults({ OTEL_SERVICE_NAME: 'mine' }, described);
    expect(named).toEqual(Object.fromEntries(Object.entries(ours).filter(([key]) => key !== 'service.name')));
    const said = resourceDefaults({ OTEL_RESOURCE_ATTRIBUTES: 'service.version=9, service.name=mine,a=b' }, described);
    expect(Object.keys(said)).toEqual(['service.namespace', 'deployment.name']);
  });
});
