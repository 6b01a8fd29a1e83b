/**
 * What OTEL_* asks for, as far as the SDK would not say: it falls back in silence, or does nothing. Values are never repeated, some
 * of them are secrets.
 */

const set = (environment: NodeJS.ProcessEnv, name: string): string | undefined =>
  environment[name]?.trim() || undefined;

/** The endpoint of traces, however it is said. */
const endpointOf = (environment: NodeJS.ProcessEnv): string | undefined =>
  set(environment, 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT') ?? set(environment, 'OTEL_EXPORTER_OTLP_ENDPOINT');

const protocolOf = (environment: NodeJS.ProcessEnv): string =>
  set(environment, 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL') ??
  set(environment, 'OTEL_EXPORTER_OTLP_PROTOCOL') ??
  'http/protobuf';

/** As the SDK takes them apart. */
const exportersOf = (environment: NodeJS.ProcessEnv): string[] =>
  (environment.OTEL_TRACES_EXPORTER ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');

/** True when traces have somewhere to go and nobody has switched them off. */
export function isTracingWanted(environment: NodeJS.ProcessEnv): boolean {
  return (
    (endpointOf(environment) ?? set(environment, 'OTEL_CONFIG_FILE')) !== undefined &&
    set(environment, 'OTEL_SDK_DISABLED')?.toLowerCase() !== 'true' &&
    !exportersOf(environment).some((name) => name.toLowerCase() === 'none')
  );
}

/** Why tracing that is wanted has to stay off; undefined when nothing speaks against it. */
export function tracingObstacle(environment: NodeJS.ProcessEnv): string | undefined {
  if (set(environment, 'OTEL_CONFIG_FILE') !== undefined)
    return 'OTEL_CONFIG_FILE is not honoured here: unset it, and say with the other OTEL_* variables where traces go';
  if (!exportersOf(environment).every((name) => ['otlp', 'console'].includes(name)))
    return 'OTEL_TRACES_EXPORTER has a name that is not known here: otlp, console and none are';
  const protocol = protocolOf(environment);
  if (!['http/protobuf', 'http/json', 'grpc'].includes(protocol))
    return 'OTEL_EXPORTER_OTLP_PROTOCOL has a value that is not known here: http/protobuf, http/json and grpc are';
  // gRPC takes host:port as well.
  if (protocol !== 'grpc' && !/^https?:$/.test(URL.parse(endpointOf(environment) ?? '')?.protocol ?? ''))
    return 'OTEL_EXPORTER_OTLP_ENDPOINT is no http:// or https:// URL';
  return undefined;
}
