/** What docker-compose.yml promises to people without reading it: nothing open to the network, nothing floating, nothing lost, nothing without a limit. */
import { z } from 'zod';

const text = z.union([z.string(), z.number(), z.boolean()]);
const words = z.union([z.string().transform((word) => [word]), z.array(z.string())]).default([]);

const service = z.object({
  image: z.string(),
  profiles: z.array(z.string()).default([]),
  ports: z.array(z.string()).default([]),
  network_mode: z.string().optional(),
  privileged: z.boolean().default(false),
  entrypoint: words,
  command: words,
  environment: z.record(z.string(), text).default({}),
  volumes: z.array(z.string()).default([]),
  healthcheck: z.object({ test: z.array(z.string()).min(1) }).optional(),
  mem_limit: z.string().optional(),
});

type Service = z.infer<typeof service>;

const composeFile = z.object({
  services: z.record(z.string(), service),
  volumes: z.record(z.string(), z.unknown()).default({}),
});

/** One line per problem of a parsed compose file. */
export function findComposeProblems(document: unknown): string[] {
  const parsed = composeFile.safeParse(document);
  if (!parsed.success) return parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  const { services, volumes } = parsed.data;

  const inServices = Object.entries(services).flatMap(([name, description]) =>
    [
      ...problemsOfImage(description),
      ...problemsOfNetwork(description),
      ...problemsOfSecrets(description),
      ...problemsOfMounts(description),
      ...namedVolumes(description.volumes)
        .filter((volume) => !Object.hasOwn(volumes, volume))
        .map((volume) => `the volume ${volume} is not declared`),
    ].map((problem) => `${name}: ${problem}`),
  );
  const used = new Set(Object.values(services).flatMap(({ volumes: mounts }) => namedVolumes(mounts)));
  const unused = Object.keys(volumes).filter((volume) => !used.has(volume));
  return [...inServices, ...unused.map((volume) => `volumes: ${volume} is declared but not used`)];
}

function problemsOfImage({ image, healthcheck, profiles, mem_limit: memoryLimit, privileged }: Service): string[] {
  return [
    ...(/:[\w.-]+$/.test(image) && !image.endsWith(':latest') ? [] : [`the image ${image} has no version`]),
    ...(healthcheck === undefined ? ['no healthcheck, so --wait cannot tell when it is usable'] : []),
    ...(privileged ? ['privileged: it could do anything on the host'] : []),
    // What only looks on must not take the memory of what it looks at.
    ...(profiles.length > 0 && memoryLimit === undefined ? ['no mem_limit'] : []),
  ];
}

function problemsOfNetwork({ ports, network_mode: mode, command, environment }: Service): string[] {
  const open = ports
    .filter((port) => !port.startsWith('127.0.0.1:'))
    .map((port) => `the port ${port} is open to the network`);
  if (mode === undefined || mode === 'bridge') return open;
  const listens = [...command, ...Object.values(environment).map(String)];
  return [
    ...open,
    ...(mode === 'host' ? [] : [`the network mode ${mode} is not one that was thought about`]),
    ...(listens.some((word) => /(?:^|=)127\.0\.0\.1(?::\d+)?$/.test(word))
      ? []
      : ["on the host's network without being told to listen on 127.0.0.1"]),
  ];
}

/** A default that everybody knows is for what only this host reaches; without one, what is started has to refuse to go on. */
function problemsOfSecrets({ command, entrypoint, environment }: Service): string[] {
  const secrets = Object.entries(environment).filter(([key]) => /PASS|SECRET|TOKEN/.test(key));
  const isFrom = (pattern: RegExp) => (secret: (typeof secrets)[number]) => pattern.test(String(secret[1]));
  const written = secrets.filter((secret) => !isFrom(/^\$\{\w+:-(?:development-only)?\}$/)(secret));
  const unguarded = secrets
    .filter(isFrom(/^\$\{\w+:-\}$/))
    .filter(([key]) => !entrypoint.some((word) => word.startsWith(`test -n "$$${key}" ||`)));
  return [
    ...written.map(
      ([key]) => `${key} must come from the environment, with the default development-only or an empty one`,
    ),
    ...unguarded.map(([key]) => `${key} may be empty, and the entrypoint does not refuse that`),
    // Everybody on the host can read the arguments of a process. `$$X` is replaced in the container, by its shell.
    ...[...command, ...entrypoint]
      .filter((word) => /(?<!\$)\$\{?\w*(?:PASS|SECRET|TOKEN)|password=(?!\$\$)/i.test(word))
      .map((word) => `${word.split('=')[0]} hands over a secret as an argument`),
  ];
}

/** Where people may name another, by its default. */
function problemsOfMounts({ volumes }: Service): string[] {
  return volumes
    .map((mount) => mount.replace(/^\$\{\w+:-([^}]*)\}/, '$1'))
    .filter((mount) => /^[./~$]/.test(mount))
    .flatMap((mount) => [
      ...(mount.endsWith(':ro') ? [] : [`${mount} is not mounted read-only`]),
      ...(mount.startsWith('./') ? [] : [`${mount} is outside of the project`]),
    ]);
}

/** The named ones among `volume:/path` and `./folder:/path`. */
function namedVolumes(mounts: string[]): string[] {
  return mounts.flatMap((mount) => /^[\w-]+(?=:)/.exec(mount)?.[0] ?? []);
}
