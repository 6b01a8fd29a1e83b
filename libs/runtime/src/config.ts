/**
 * All settings of a process, parsed once from the environment. Every problem is listed together, by variable name and without
 * the value (values may be secrets). When a database URL is missing, the fleet that `npm start` runs beside us lends its own
 * (`<data dir>/runtime.json`).
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { AppError } from './errors.ts';

const optionalInteger = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be a whole number from ${min} to ${max}`)
    .optional();

const integer = (fallback: number, min: number, max: number) =>
  optionalInteger(min, max).transform((value) => value ?? fallback);

const highestPort = 65_535;
const port = (fallback: number) => integer(fallback, 0, highestPort);

const webUrl = z
  .string()
  .refine(
    (value) => /^https?:\/\//.test(value) && URL.canParse(value),
    'must be a URL that starts with http:// or https://',
  );

/** Without a query and without a name and password, which would be shown wherever the address is. */
const baseUrl = webUrl.refine((value) => {
  const { search, hash, username } = new URL(value);
  return search === '' && hash === '' && username === '';
}, 'must have no query, no fragment and no user name');

const yesOrNo = z
  .enum(['true', 'false', '1', '0'], 'must be true or false')
  .optional()
  .transform((value) => (value === undefined ? undefined : value === 'true' || value === '1'));

const databaseUrl = (protocols: string[]) =>
  z
    .string()
    .refine(
      (value) => URL.canParse(value) && protocols.includes(new URL(value).protocol),
      `must be a URL that starts with ${protocols.map((name) => `${name}//`).join(' or ')}`,
    )
    .optional();

const environmentSchema = z.object({
  DATABASE_URL: databaseUrl(['postgres:', 'postgresql:', 'mysql:']),
  QUEUE_DATABASE_URL: databaseUrl(['postgres:', 'postgresql:']),
  DATABASE_POOL_MAX: integer(4, 1, 50),
  STICKER_DATA_DIR: z
    .string()
    .min(1)
    .optional()
    .transform((value) => resolve(value ?? 'data')),
  ARCHIVE_DIR: z
    .string()
    .min(1)
    .optional()
    .transform((value) => resolve(value ?? 'archives')),
  BIND_ADDRESS: z
    .string()
    .min(1)
    .optional()
    .transform((value) => value ?? '127.0.0.1'),
  ADVERTISE_ADDRESS: z.string().min(1).optional(),
  PORT: port(9102),
  API_METRICS_PORT: optionalInteger(0, highestPort),
  RELAY_PORT: port(9110),
  WORKER_PORT: optionalInteger(0, highestPort),
  MAINTENANCE_PORT: port(9115),
  TRUST_PROXY_HOPS: integer(0, 0, 10),
  STICKER_RATE_LIMIT_READS_PER_MINUTE: integer(1_200, 0, 1_000_000),
  STICKER_RATE_LIMIT_WRITES_PER_MINUTE: integer(600, 0, 1_000_000),
  STICKER_RATE_LIMIT_UPLOADS_PER_MINUTE: integer(1_200, 0, 1_000_000),
  STICKER_RATE_LIMIT_COUNTS_PER_MINUTE: integer(600, 0, 1_000_000),
  STICKER_RATE_LIMIT_ADMIN_PER_MINUTE: integer(1_200, 0, 1_000_000),
  STICKER_RATE_LIMIT_SIGN_INS_PER_MINUTE: integer(20, 0, 1_000_000),
  ADMIN_TOKEN: z.string().min(16, 'must have at least 16 characters').optional(),
  METRICS_TOKEN: z.string().min(16, 'must have at least 16 characters').optional(),
  ROLLOUT_PLANS_DIR: z
    .string()
    .min(1)
    .optional()
    .transform((value) => (value === undefined ? undefined : resolve(value))),
  PROMETHEUS_URL: webUrl.optional(),
  HTTP_SLO_TARGET_MS: integer(750, 1, 60_000),
  WORKER_RELEASE: z
    .enum(['stable', 'canary'], 'must be stable or canary')
    .optional()
    .transform((value) => value ?? 'stable'),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'must be a pino level')
    .optional()
    .transform((value) => value ?? 'info'),
  LOG_FORMAT: z.enum(['json', 'pretty'], 'must be json or pretty').optional(),
  STICKER_WORKER_CLASSIFICATION_CADENCE_MS: integer(120_000, 1_000, 86_400_000),
  STICKER_WORKER_CURATION_CADENCE_MS: integer(180_000, 1_000, 86_400_000),
  STICKER_WORKER_REBUILD_CADENCE_MS: integer(240_000, 1_000, 86_400_000),
  STICKER_DEDICATED_WORKER_POLL_INTERVAL_MS: integer(2_500, 100, 600_000),
  STICKER_SCORE_SNAPSHOT_REFRESH_INTERVAL_MS: integer(300_000, 1_000, 86_400_000),
  STICKER_WEB_ASSET_CACHE_SECONDS: integer(2_592_000, 3_600, 31_536_000),
  STICKER_WEB_STATIC_TEXT_CACHE_SECONDS: integer(3_600, 60, 2_592_000),
  STICKER_WEB_IMMUTABLE_ASSET_CACHE_SECONDS: integer(31_536_000, 3_600, 31_536_000),
  STICKER_WEB_ASSET_VERSION: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be 1 to 64 of A-Z a-z 0-9 . _ -')
    .optional(),
  STICKER_WEB_WHATSAPP_MESSAGE_TEMPLATE: z
    .string()
    .max(1_000, 'must have at most 1000 characters')
    .optional()
    .transform((value) => value ?? '/pack send {{pack_key}}'),
  STICKER_PACK_MAX_ITEMS: integer(30, 1, 120),
  STICKER_PACK_MAX_PER_OWNER: integer(1_000, 0, 1_000_000),
  STICKER_PACK_AUTO_COLLECT_ENABLED: yesOrNo.transform((value) => value ?? true),
  STICKER_PACK_AUTO_PACK_NAME: z
    .string()
    .trim()
    .regex(/^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]{1,100}$/u, 'must have 1 to 100 characters, none of them a control character')
    .optional()
    .transform((value) => value ?? 'pack'),
  STICKER_PACK_AGE_DECAY_DAYS: integer(45, 1, 3_650),
  STICKER_MODERATION_POLICY: z
    .enum(['approve', 'hold'], 'must be approve or hold')
    .optional()
    .transform((value) => value ?? 'approve'),
  STICKER_REPORTS_HOLD_AT: integer(0, 0, 10_000),
  STICKER_WEBHOOKS_ENABLED: yesOrNo.transform((value) => value ?? true),
  STICKER_WEBHOOK_ALLOW_PRIVATE: yesOrNo.transform((value) => value ?? false),
  STICKER_OBJECT_STORAGE_BUCKET: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be the name of a bucket: 3 to 63 of a-z 0-9 . -')
    .optional(),
  STICKER_OBJECT_STORAGE_REGION: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/, 'must be 1 to 64 of a-z 0-9 -')
    .optional()
    .transform((value) => value ?? 'us-east-1'),
  STICKER_OBJECT_STORAGE_ENDPOINT: baseUrl.optional(),
  STICKER_OBJECT_STORAGE_ACCESS_KEY_ID: z.string().max(256, 'must have at most 256 characters').optional(),
  STICKER_OBJECT_STORAGE_SECRET_ACCESS_KEY: z.string().max(256, 'must have at most 256 characters').optional(),
  STICKER_OBJECT_STORAGE_FORCE_PATH_STYLE: yesOrNo,
  STICKER_OBJECT_STORAGE_CDN_BASE_URL: baseUrl.optional(),
  STICKER_OBJECT_STORAGE_KEY_PREFIX: z
    .string()
    .regex(/^[\w-]+(\.[\w-]+)*(\/[\w-]+(\.[\w-]+)*)*$/, 'must be names of A-Z a-z 0-9 . _ - with "/" between them')
    .max(256, 'must have at most 256 characters')
    .optional()
    .transform((value) => value ?? 'stickers'),
  STICKER_OBJECT_STORAGE_MODE: z
    .enum(['proxy', 'redirect'], 'must be proxy or redirect')
    .optional()
    .transform((value) => value ?? 'proxy'),
  STICKER_OBJECT_STORAGE_SIGNED_URL_TTL_SECONDS: integer(300, 60, 604_800),
  STICKER_CDN_PURGE_URL: baseUrl.optional(),
  STICKER_CDN_PURGE_TOKEN: z.string().min(16, 'must have at least 16 characters').optional(),
  STICKER_SIGNED_URL_SECRET: z
    .string()
    .max(4_096, 'must have at most 4096 characters')
    .transform((value) => value.split(',').map((secret) => secret.trim()))
    .refine(
      (secrets) => secrets.every((secret) => secret.length >= 32),
      'must be secrets of at least 32 characters each, with commas between them',
    )
    .optional()
    .transform((secrets) => secrets ?? []),
  STICKER_STORAGE_GRACE_DAYS: integer(30, 0, 3_650),
  STICKER_CLASSIFICATION_CONCURRENCY: integer(4, 1, 64),
});

type Environment = z.infer<typeof environmentSchema>;
export type Config = Omit<Environment, 'DATABASE_URL' | 'QUEUE_DATABASE_URL' | 'WORKER_PORT' | 'API_METRICS_PORT'> & {
  DATABASE_URL: string;
  QUEUE_DATABASE_URL: string;
  /** The default depends on the kind of worker. */
  WORKER_PORT: number | undefined;
  /** Set: PORT may be shared by several API processes. */
  API_METRICS_PORT: number | undefined;
};

/** Shape of `<data dir>/runtime.json`, as far as other commands need it. */
const runtimeFileSchema = z.object({ database_url: z.string(), queue_database_url: z.string() });

function urlsOfRunningFleet(dataDir: string): { databaseUrl: string; queueDatabaseUrl: string } | null {
  try {
    const parsed = runtimeFileSchema.parse(JSON.parse(readFileSync(join(dataDir, 'runtime.json'), 'utf8')));
    return { databaseUrl: parsed.database_url, queueDatabaseUrl: parsed.queue_database_url };
  } catch {
    return null;
  }
}

/** `text` is a whole sentence, without the value: it may be a secret. */
export type ConfigProblem = { variable: string; text: string };

/** The environment with everything that is wrong with it, for whoever has to go on nevertheless. */
export type ConfigView = {
  problems: ConfigProblem[];
  /** What is wrong has its default here. */
  settings: Omit<Config, 'DATABASE_URL' | 'QUEUE_DATABASE_URL'>;
  /** Null: there is none, or it is wrong. Never another one in its place. */
  databaseUrl: string | null;
  queueUrl: string | null;
  /** The addresses are those of the `npm start` that runs on the same data directory. */
  isLentByFleet: boolean;
};

/** A bucket that nobody can sign for is no bucket. */
function missingBesideBucket(present: Record<string, unknown>, isWrong: (name: string) => boolean): string[] {
  if (present.STICKER_OBJECT_STORAGE_BUCKET === undefined) return [];
  const needed = ['STICKER_OBJECT_STORAGE_ACCESS_KEY_ID', 'STICKER_OBJECT_STORAGE_SECRET_ACCESS_KEY'];
  return needed.filter((name) => present[name] === undefined && !isWrong(name));
}

/** Reads the environment without refusing anything. Empty variables count as unset. */
export function inspectConfig(environment: NodeJS.ProcessEnv = process.env): ConfigView {
  const present = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const result = environmentSchema.safeParse(present);
  const problems = (result.error?.issues ?? []).map(({ path, message }): ConfigProblem => {
    const variable = path.join('.');
    return { variable, text: `${variable} ${message}` };
  });
  const isWrong = (name: string): boolean => problems.some(({ variable }) => variable === name);
  for (const variable of missingBesideBucket(present, isWrong))
    problems.push({ variable, text: `${variable} is needed with STICKER_OBJECT_STORAGE_BUCKET` });
  const usable = Object.fromEntries(Object.entries(present).filter(([name]) => !isWrong(name)));
  const { DATABASE_URL, QUEUE_DATABASE_URL, WORKER_PORT, API_METRICS_PORT, ...rest } =
    result.data ?? environmentSchema.parse(usable);
  const fleet = present.DATABASE_URL === undefined ? urlsOfRunningFleet(rest.STICKER_DATA_DIR) : null;
  const databaseUrl = DATABASE_URL ?? fleet?.databaseUrl ?? null;
  const besideCatalogue = databaseUrl?.startsWith('postgres') === true ? databaseUrl : null;
  const queueUrl = isWrong('QUEUE_DATABASE_URL')
    ? null
    : (QUEUE_DATABASE_URL ?? fleet?.queueDatabaseUrl ?? besideCatalogue);
  if (databaseUrl === null && !isWrong('DATABASE_URL'))
    problems.push({
      variable: 'DATABASE_URL',
      text: `No database: set DATABASE_URL, or run this beside a running "npm start" (no ${join(rest.STICKER_DATA_DIR, 'runtime.json')}).`,
    });
  if (databaseUrl !== null && queueUrl === null && !isWrong('QUEUE_DATABASE_URL'))
    problems.push({
      variable: 'QUEUE_DATABASE_URL',
      text: 'DATABASE_URL is MySQL: set QUEUE_DATABASE_URL to a PostgreSQL URL for the task queues.',
    });
  return {
    problems,
    settings: { ...rest, WORKER_PORT, API_METRICS_PORT },
    databaseUrl,
    queueUrl,
    isLentByFleet: fleet !== null,
  };
}

/**
 * Reads the environment. Empty variables count as unset.
 * @throws AppError `configuration-invalid`, its message listing every problem, one per line.
 */
export function loadConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const { problems, settings, databaseUrl, queueUrl } = inspectConfig(environment);
  const [first] = problems;
  if (first || databaseUrl === null || queueUrl === null) {
    const isAbsent = first !== undefined && (environment[first.variable] ?? '') === '';
    throw new AppError(
      'configuration-invalid',
      problems.length === 1 && isAbsent
        ? first.text
        : `Invalid environment:\n${problems.map(({ text }) => `  ${text}`).join('\n')}`,
    );
  }
  return { ...settings, DATABASE_URL: databaseUrl, QUEUE_DATABASE_URL: queueUrl };
}
