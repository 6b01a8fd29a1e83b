import { describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { resourceDefaults, startTracing } from './start-tracing.ts';
import { isTracing, openSpan } from './tracing.ts';

describe('tracing', () => {
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

  const described = { name: 'relay', version: '0', release: 'stable' };
  /** The SDK reads the environment of the process itself. */
  async function startWith(environment: NodeJS.ProcessEnv) {
    const lines: { level: number; msg: string; reason?: string }[] = [];
    const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line) as (typeof lines)[number]) });
    Object.assign(process.env, environment);
    try {
      return { started: await startTracing(described, log), lines };
    } finally {
      for (const name of Object.keys(environment)) Reflect.deleteProperty(process.env, name);
    }
  }
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' };

  it.each([
    { ...endpoint, OTEL_TRACES_EXPORTER: 'zipkin' },
    { ...endpoint, OTEL_CONFIG_FILE: '/nowhere/traces.yaml' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: '127.0.0.1:1' },
    // Not looked at here, and the SDK throws.
    { ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_HEADERS: 'a name=value' },
  ])('stays off, and says so, where it cannot be started: %j', async (environment) => {
    const { started, lines } = await startWith(environment);

    expect(started).toBeNull();
    expect(isTracing()).toBe(false);
    expect(openSpan({ name: 'a', kind: 'internal' }).context()).toBeNull();
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ level: 40, msg: expect.stringContaining('could not be started') as unknown });
  });

  it('is on once it is started, with the detectors that the environment names', async () => {
    const { started, lines } = await startWith({ ...endpoint, OTEL_TRACES_SAMPLER: 'always_off' });

    expect(lines.map(({ msg }) => msg)).toEqual(['tracing is on']);
    expect(process.env.OTEL_NODE_RESOURCE_DETECTORS).toBeUndefined();
    expect(openSpan({ name: 'a', kind: 'internal' }).context()?.traceparent).toMatch(
      /^00-(?!0{32})[0-9a-f]{32}-.*-00$/,
    );
    await started?.stop();
    expect(isTracing()).toBe(false);
  });
});
