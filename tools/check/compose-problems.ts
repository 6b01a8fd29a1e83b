/** What docker-compose.yml promises to people without reading it: nothing open to the network, nothing floating, nothing lost. */
import { z } from 'zod';

const service = z.object({
  image: z.string(),
  ports: z.array(z.string()).default([]),
  environment: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
  volumes: z.array(z.string()).default([]),
  healthcheck: z.object({ test: z.array(z.string()).min(1) }).optional(),
});

const composeFile = z.object({
  services: z.record(z.string(), service),
  volumes: z.record(z.string(), z.unknown()).default({}),
});

/** One line per problem of a parsed compose file. */
export function findComposeProblems(document: unknown): string[] {
  const parsed = composeFile.safeParse(document);
  if (!parsed.success) return parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  const { services, volumes } = parsed.data;

  const inServices = Object.entries(services).flatMap(
    ([name, { image, ports, environment, healthcheck, volumes: mounts }]) => [
      ...(/:[\w.-]+$/.test(image) && !image.endsWith(':latest') ? [] : [`${name}: the image ${image} has no version`]),
      ...(healthcheck === undefined ? [`${name}: no healthcheck, so --wait cannot tell when it is usable`] : []),
      ...ports
        .filter((port) => !port.startsWith('127.0.0.1:'))
        .map((port) => `${name}: the port ${port} is open to the network`),
      ...Object.entries(environment)
        .filter(
          ([key, value]) => /PASSWORD|SECRET|TOKEN/.test(key) && !/^\$\{\w+:-development-only\}$/.test(String(value)),
        )
        .map(([key]) => `${name}: ${key} must come from the environment, with the default development-only`),
      ...namedVolumes(mounts)
        .filter((volume) => !Object.hasOwn(volumes, volume))
        .map((volume) => `${name}: the volume ${volume} is not declared`),
    ],
  );
  const used = new Set(Object.values(services).flatMap(({ volumes: mounts }) => namedVolumes(mounts)));
  const unused = Object.keys(volumes).filter((volume) => !used.has(volume));
  return [...inServices, ...unused.map((volume) => `volumes: ${volume} is declared but not used`)];
}

/** The named ones among `volume:/path` and `./folder:/path`. */
function namedVolumes(mounts: string[]): string[] {
  return mounts.flatMap((mount) => /^[\w-]+(?=:)/.exec(mount)?.[0] ?? []);
}
