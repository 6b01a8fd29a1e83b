/** The bucket: whether it can be worked with from here, whether it has what the flag delivers from it, and whether all mean the same one. */
import type { BucketFacts } from '@omnizap/catalog';
import type { LiveProcess } from '@omnizap/runtime';
import type { ObjectStorageEnvironment, StorageProblem } from '@omnizap/storage';
import { fail, info, ok, warn, type Finding } from './finding.ts';
import type { Mending } from './mending.ts';

/** As the settings name it. */
export type BucketSettings = Pick<
  ObjectStorageEnvironment,
  | 'STICKER_OBJECT_STORAGE_BUCKET'
  | 'STICKER_OBJECT_STORAGE_ENDPOINT'
  | 'STICKER_OBJECT_STORAGE_MODE'
  | 'STICKER_OBJECT_STORAGE_CDN_BASE_URL'
> & { STICKER_CDN_PURGE_URL?: string | undefined };

export type DeliveryFacts = {
  settings: BucketSettings;
  /** Of enable_object_storage_delivery; 0 when off. */
  percent: number;
  bucket: BucketFacts;
  /** Tasks of type storage that have failed for good. */
  deadTasks: number;
  live: LiveProcess[];
};

export type AgreementFacts = {
  live: LiveProcess[];
  /** Digest of the bucket that this shell names; null = none. */
  own: string | null;
};

const flag = 'enable_object_storage_delivery';
const name = (part: string): string => `STICKER_OBJECT_STORAGE_${part}`;
const again = 'npm run ops -- doctor --only object-storage';
/** Below this the flag at 100 % does less than it says. */
const lowShare = 0.5;
/** The rest of what there is to know stands in the remedy, not in a command. */
const withRemedy = new Set<StorageProblem['code']>(['forbidden', 'no-bucket', 'throttled', 'unknown']);
const passing = new Set<StorageProblem['code']>(['throttled', 'missing', 'corrupt']);

/** `problem`: null when a list came, and, where there was anything to read, its bytes were right. */
export function judgeBucket(
  {
    settings,
    problem,
    percent,
    hasRead,
  }: {
    settings: BucketSettings;
    problem: StorageProblem | null;
    percent: number;
    hasRead: boolean;
  },
  mending: Mending,
): Finding[] {
  const { STICKER_OBJECT_STORAGE_BUCKET: bucket = '', STICKER_OBJECT_STORAGE_ENDPOINT: endpoint } = settings;
  const where = `Bucket "${bucket}" at ${endpoint ?? 'AWS'}`;
  if (problem === null)
    return [
      ok(`${where} answers${hasRead ? ', and what was read from it is right' : '; there is nothing to be read yet'}.`),
    ];
  const { code, text, remedy } = problem;
  const said = `${where}: ${text.charAt(0).toLowerCase()}${text.slice(1)}${withRemedy.has(code) ? ` ${remedy}` : ''}`;
  return [(passing.has(code) ? warn : fail)(said, commandOf(problem, { endpoint, percent }, mending))];
}

function commandOf(
  { code, region }: StorageProblem,
  { endpoint, percent }: { endpoint: string | undefined; percent: number },
  mending: Mending,
): string {
  switch (code) {
    case 'wrong-secret':
      return mending.set(name('SECRET_ACCESS_KEY'), 'SECRET_OF_THAT_KEY');
    case 'unknown-key':
      return mending.set(name('ACCESS_KEY_ID'), 'A_KEY_THAT_EXISTS');
    case 'forbidden':
      return mending.set(name('ACCESS_KEY_ID'), 'A_KEY_WITH_THESE_RIGHTS');
    case 'clock-skew':
      return 'sudo timedatectl set-ntp true';
    case 'no-bucket':
      return mending.set(name('BUCKET'), 'NAME_OF_THE_BUCKET');
    case 'wrong-region':
      return mending.set(name('REGION'), region ?? 'REGION_OF_THE_BUCKET');
    case 'untrusted':
      return mending.set('NODE_EXTRA_CA_CERTS', '/etc/ssl/certs/NAME_OF_THE_AUTHORITY.pem');
    case 'wrong-protocol':
      return mending.set(name('ENDPOINT'), otherProtocol(endpoint ?? 'http://HOST:PORT'));
    case 'unreachable':
    case 'silent':
    case 'not-s3':
      // AWS's own address follows from the region: there is nothing of ours to correct.
      return endpoint === undefined ? again : mending.set(name('ENDPOINT'), 'https://HOST:PORT');
    case 'missing':
    case 'corrupt':
      return 'npm run ops -- storage verify --repair';
    default:
      return percent > 0 ? mending.flagOff(flag, 'object storage fails') : again;
  }
}

function otherProtocol(endpoint: string): string {
  return endpoint.startsWith('https:') ? endpoint.replace('https:', 'http:') : endpoint.replace('http:', 'https:');
}

/** What the flag, the settings and the tables say together. */
export function judgeDelivery(facts: DeliveryFacts, mending: Mending): Finding[] {
  const { settings, percent, bucket, deadTasks, live } = facts;
  const hasBucket =
    settings.STICKER_OBJECT_STORAGE_BUCKET !== undefined || live.some(({ status }) => digestOf(status) !== null);
  const findings = hasBucket ? judgeSettings(settings, mending) : [];
  if (!hasBucket && percent > 0)
    findings.push(
      warn(
        `${flag} is on at ${percent} % and no bucket is configured: everything comes from local disk.`,
        mending.flagOff(flag, 'there is no bucket'),
      ),
    );
  const share = bucket.looked === 0 ? 1 : bucket.verified / bucket.looked;
  const has = `${Math.floor(share * 100)} % of the files looked at (${bucket.looked}) are known to be in the bucket`;
  if (hasBucket && share < lowShare)
    findings.push(
      percent > 0
        ? warn(
            `${flag} is on at ${percent} % and only ${has}: the rest comes from local disk.`,
            'npm run ops -- storage backfill',
          )
        : info(`Only ${has}: the flag would do little.`, 'npm run ops -- storage backfill'),
    );
  if (bucket.stuck.count > 0)
    findings.push(
      warn(
        `The removal of ${bucket.stuck.count} objects began ${Math.round(bucket.stuck.longestSeconds / 3_600)} h ago and has not ended: who needs them in the bucket waits for it.`,
        'npm run ops -- storage gc --yes',
      ),
    );
  if (deadTasks > 0)
    findings.push(
      warn(
        `${deadTasks} stickers could not be brought into the bucket, or out of it, for good.`,
        'npm run ops -- dlq list --source tasks --type storage --groups',
      ),
    );
  if (findings.some(({ severity }) => severity !== 'info')) return findings;
  return [
    ...findings,
    ok(hasBucket ? `${has}; ${flag} is at ${percent} %.` : 'There is no bucket, and no need of one.'),
  ];
}

function judgeSettings(settings: BucketSettings, mending: Mending): Finding[] {
  const { STICKER_OBJECT_STORAGE_ENDPOINT: endpoint, STICKER_OBJECT_STORAGE_CDN_BASE_URL: cdn } = settings;
  const findings: Finding[] = [];
  if (settings.STICKER_OBJECT_STORAGE_MODE === 'redirect' && endpoint?.startsWith('http:') === true)
    findings.push(
      warn(
        'Mode redirect sends clients to an endpoint without TLS: pages over https show no picture from there.',
        mending.set(name('ENDPOINT'), otherProtocol(endpoint)),
      ),
    );
  if (cdn !== undefined && settings.STICKER_CDN_PURGE_URL === undefined)
    findings.push(
      warn(
        'Copies are kept at a CDN that nobody tells of removals: what is taken down stays there until it expires.',
        mending.set('STICKER_CDN_PURGE_URL', 'https://HOOK_OF_THE_CDN'),
      ),
    );
  return findings;
}

/** Null: it has no bucket, or is of a release that does not tell. */
function digestOf({ object_storage: digest }: LiveProcess['status']): string | null {
  return typeof digest === 'string' ? digest : null;
}

/** A process without the bucket beside others that have it uploads nothing, and nobody is told. */
export function judgeAgreement({ live, own }: AgreementFacts, mending: Mending): Finding[] {
  const telling = live.filter(({ status }) => 'object_storage' in status);
  const byDigest = Map.groupBy(telling, ({ status }) => digestOf(status));
  const namesOf = (processes: LiveProcess[]): string =>
    [...new Set(processes.map(({ processName }) => processName))].sort().join(', ');
  if (byDigest.size > 1) {
    const groups = [...byDigest].map(([digest, processes]) =>
      digest === null ? `${namesOf(processes)} have none` : `${namesOf(processes)} have one`,
    );
    const which = byDigest.has(null) && byDigest.size === 2 ? '' : ', and not the same one';
    return [fail(`The processes do not agree on the bucket: ${groups.sort().join('; ')}${which}.`, mending.reload())];
  }
  const [theirs] = byDigest.keys();
  if (theirs === undefined || theirs === own) return [];
  if (theirs === null)
    return [warn('This shell has a bucket and the processes have none: nothing is brought into it.', mending.reload())];
  return own === null
    ? [info('The processes have a bucket that this shell does not know: from here it cannot be looked at.')]
    : [warn('This shell names another bucket than the processes have.', mending.reload())];
}
